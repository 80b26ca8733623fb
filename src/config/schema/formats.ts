export type Format = 'url' | 'header_name' | 'host' | 'path';
