import { createHash, timingSafeEqual } from 'node:crypto'

export type Role = 'read' | 'operate'

/** A token as the server keeps it: never in clear. */
export interface Token {
  readonly name: string
  readonly role: Role
  readonly sha256: Buffer
}

/** All tokens there are now. */
export class Tokens {
  private list: readonly Token[]

  constructor(list: readonly Token[]) {
    this.list = list
  }

  get count(): number {
    return this.list.length
  }

  /** After a reload of the configuration. */
  set(list: readonly Token[]): void {
    this.list = list
  }

  /** The token of a value that somebody shows. All are compared, each in constant time. */
  find(value: string): Token | undefined {
    const given = createHash('sha256').update(value, 'utf8').digest()
    let found: Token | undefined
    for (const token of this.list) if (timingSafeEqual(given, token.sha256)) found = token
    return found
  }

  /** The token as it is now, if it still is one: its role may have changed. */
  current({ sha256 }: Pick<Token, 'sha256'>): Token | undefined {
    return this.list.find((token) => token.sha256.equals(sha256))
  }
}

/** What the Authorization header shows; undefined when it shows no bearer token. */
export function bearerOf(authorization: string | undefined): string | undefined {
  return /^Bearer +([\x21-\x7e]{1,512}) *$/i.exec(authorization ?? '')?.[1]
}
