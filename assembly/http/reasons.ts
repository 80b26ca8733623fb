/**
 * Reason phrases of RFC 9110 section 15 and its registry, and the texts of our own error answers.
 */

/** Standard reason phrase, or "Unknown". */
export function reasonPhrase(status: u32): string {
  switch (status) {
    case 200: return 'OK';
    case 201: return 'Created';
    case 202: return 'Accepted';
    case 204: return 'No Content';
    case 206: return 'Partial Content';
    case 301: return 'Moved Permanently';
    case 302: return 'Found';
    case 303: return 'See Other';
    case 304: return 'Not Modified';
    case 307: return 'Temporary Redirect';
    case 308: return 'Permanent Redirect';
    case 400: return 'Bad Request';
    case 401: return 'Unauthorized';
    case 402: return 'Payment Required';
    case 403: return 'Forbidden';
    case 404: return 'Not Found';
    case 405: return 'Method Not Allowed';
    case 406: return 'Not Acceptable';
    case 408: return 'Request Timeout';
    case 409: return 'Conflict';
    case 410: return 'Gone';
    case 411: return 'Length Required';
    case 412: return 'Precondition Failed';
    case 413: return 'Payload Too Large';
    case 414: return 'URI Too Long';
    case 415: return 'Unsupported Media Type';
    default: return lessUsual(status);
  }
}

function lessUsual(status: u32): string {
  switch (status) {
    case 417: return 'Expectation Failed';
    case 418: return "I'm a teapot";
    case 421: return 'Misdirected Request';
    case 422: return 'Unprocessable Content';
    case 425: return 'Too Early';
    case 426: return 'Upgrade Required';
    case 428: return 'Precondition Required';
    case 429: return 'Too Many Requests';
    case 431: return 'Request Header Fields Too Large';
    case 451: return 'Unavailable For Legal Reasons';
    case 500: return 'Internal Server Error';
    case 501: return 'Not Implemented';
    case 502: return 'Bad Gateway';
    case 503: return 'Service Unavailable';
    case 504: return 'Gateway Timeout';
    case 505: return 'HTTP Version Not Supported';
    case 507: return 'Insufficient Storage';
    default: return 'Unknown';
  }
}

/** The message of a server-level error (kong-router reference, section 16). */
export function errorMessage(status: u32): string {
  switch (status) {
    case 400: return 'Bad request';
    case 404: return 'Not found';
    case 405: return 'Method not allowed';
    case 408: return 'Request timeout';
    case 411: return 'Length required';
    case 412: return 'Precondition failed';
    case 413: return 'Payload too large';
    case 414: return 'URI too long';
    case 417: return 'Expectation failed';
    case 431: return 'Request header or cookie too large';
    case 501: return 'Not implemented';
    case 502: return 'An invalid response was received from the upstream server';
    case 503: return 'The upstream server is currently unavailable';
    case 504: return 'The upstream server is timing out';
    case 505: return 'HTTP version not supported';
    default: return 'An unexpected error occurred';
  }
}
