/**
 * Programs that say who they are: crawlers, link previews, feed readers, HTTP libraries. curl and
 * browsers are not among them. Every pattern is anchored or a plain word, so that none is slow.
 */
export const knownBots: readonly RegExp[] = [
  // Search engines and their relatives
  /Googlebot(?:-\w+)?\//,
  /bingbot|BingPreview|msnbot|adidxbot/,
  /Slurp|Yahoo! Slurp|YahooSeeker/,
  /YandexBot|YandexImages|Baiduspider|Sogou web spider|Yeti\//,
  /DuckDuckBot|Applebot|PetalBot|AhrefsBot|SemrushBot|MJ12bot|DotBot|BLEXBot|SeznamBot/,
  /archive\.org_bot|ia_archiver|Wayback|heritrix|CCBot|Exabot|Gigabot|Mediapartners-Google/,
  // Previews of social networks and messengers
  /facebookexternalhit|Facebot|Twitterbot|LinkedInBot|Pinterest|Slackbot|TelegramBot/,
  /WhatsApp|Discordbot|SkypeUriPreview|redditbot|Embedly|Quora Link Preview/,
  // Monitors and scanners
  /Pingdom|UptimeRobot|StatusCake|NewRelicPinger|Site24x7|ZGrab|zgrab|masscan|Nmap|Nikto/,
  // Libraries and tools
  /Google-HTTP-Java-Client|Apache-HttpClient|Go-http-client|scalaj-http|http%20client/,
  /Python-urllib|HttpMonitor|TLSProber|WinHTTP|JNLP|okhttp|aihttp|reqwest|axios|Scrapy/,
  /unirest-(?:java|python|ruby|nodejs|php|net)|libwww-perl|lwp-trivial|HTTrack/,
  /aws-(?:cli|sdk)|Boto3?\/|S3Browser|WordPress\/|W3C_Validator|Feedfetcher|FeedBurner/,
  // Whatever calls itself one
  /[a-z0-9_-]*(?:bot|Bot)\/\d/,
  /\b\w*(?:spider|Spider)\b/,
  /[Cc]rawl/,
];
