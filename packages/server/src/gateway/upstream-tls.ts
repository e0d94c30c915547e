/** What the gateway shows and believes when it speaks TLS to an upstream: PEM texts. */
export interface UpstreamTls {
  /** Certificates of authorities to believe, in place of the public ones. */
  readonly ca?: string
  /** The gateway's own certificate and key. */
  readonly cert?: string
  readonly key?: string
  /** The name the upstream's certificate must bear. @defaultValue the URL's host */
  readonly serverName?: string
}

/** The same as options of `tls.connect`. */
export function tlsConnectOptions({ serverName, ...certificates }: UpstreamTls): {
  ca?: string
  cert?: string
  key?: string
  servername?: string
} {
  return { ...certificates, ...(serverName === undefined ? {} : { servername: serverName }) }
}
