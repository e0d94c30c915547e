/** What stands where a credential was. */
export const redacted = '[redacted]'

const privateKey = /-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|$)/g
const header = /((?:authorization|cookie)["']?\s{0,3}[:=]\s{0,3})[^\r\n]+/gi
const userinfo = /(:\/\/)(?:[^\s/:@]{0,100}:\S{0,300}@|[^\s/?#@]{1,300}@)/g
const bearer = /\b(bearer)\s+(?!tokens?\b)[^\s"',;]{4,}/gi
const basic = /\b([Bb]asic|BASIC)\s+(?=[a-z]*[A-Z0-9+/=])[A-Za-z0-9+/=]{4,}/g
const credentialKey =
  /(?:pass(?:word|wd|phrase)|pwd|secret|credential|(?:api|access|private|signing|encryption|subscription)[-_ ]?key|token(?!s["']?\s{0,3}[:=]\s{0,3}\d+\b)|session[-_]?id|signature)[\w.-]{0,20}["']?/
const equals = /\s{0,3}[:=]\s{0,3}/
const value = /(?:"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?|[^\s&;]+)/
/** What stands after a key without a value may be the next key: its value goes as well. */
const assignment = new RegExp(`(${credentialKey.source}${equals.source})${value.source}(?:${equals.source}${value.source}){0,4}`, 'gi')
const queryCredential = /([?&](?:key|sig|code|auth)=)[^\s&;"']+/gi
/** Keys that say by their form whose they are: of model providers, code hosts, clouds, chat and payment services; JSON web tokens. */
const knownForm =
  /\b(?:[sr]k[-_][\w-]{8,}|gh[a-z]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{10,}|xox[a-z]-[\w-]{10,}|A[KS]IA[A-Z0-9]{12,}|AIza[\w-]{20,}|ya29\.[\w.-]{10,}|eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?|(?:hf|npm|gsk|whsec)_\w{16,}|(?:xai|pplx)-\w{16,}|SG\.[\w-]{10,}\.[\w-]{10,})/g
const longRun = /[A-Za-z0-9_+-]{32,}/g

/** Something that every one of the above contains: most texts have none of it, and are done. */
const suspicious =
  /[:=]|bearer|basic|-BEGIN|[sr]k[-_]|gh[a-z]_|_pat_|glpat-|xox|A[KS]IA|AIza|ya29|eyJ|(?:hf|npm|gsk|whsec)_|(?:xai|pplx)-|SG\./i

/** Replaces what is a credential by its name, its place or its form. */
export function redactCredentials(text: string): string {
  if (!suspicious.test(text)) return text
  return text
    .replace(privateKey, redacted)
    .replace(header, `$1${redacted}`)
    .replace(userinfo, `$1${redacted}@`)
    .replace(bearer, `$1 ${redacted}`)
    .replace(basic, `$1 ${redacted}`)
    .replace(assignment, `$1${redacted}`)
    .replace(queryCredential, `$1${redacted}`)
    .replace(knownForm, redacted)
}

/** What is looked at of a longer text. */
const longestRead = 4_000

/** A text fit for a log: on one line, of `maxLength` characters at most, without credentials and without long runs that look random. */
export function publicText(text: string, maxLength = 200): string {
  const plain = oneLine(redactCredentials(begin(text)).replace(longRun, (run) => (looksRandom(run) ? redacted : run)))
  return plain.length > maxLength ? `${plain.slice(0, maxLength - 1)}…` : plain
}

/** The text's begin, not cut within a word: half a credential could not be told. */
function begin(text: string): string {
  return text.length > longestRead ? text.slice(0, longestRead).replace(/\S*$/, '') : text
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
}

/** Digits mixed with letters: without any separator, or with letters of both cases. UUIDs and long names are none. */
function looksRandom(run: string): boolean {
  if (!/\d/.test(run) || !/[A-Za-z]/.test(run)) return false
  return !/[_-]/.test(run) || (/[a-z]/.test(run) && /[A-Z]/.test(run))
}

const credentialName =
  /authorization|^auth$|cookie|passw(?:or)?d|passphrase|pwd|secret|credential|(?:api|access|private|signing|encryption)key|token|bearer|jwt|dsn|connectionstring|sessionid|signature/
const contentName = /prompt|message|completion|content|body|header|input|output|argument|params|query|environment/

/** Whether a field of this name holds a credential, whatever its value looks like. */
export function namesCredential(name: string): boolean {
  return credentialName.test(lettersOf(name))
}

/** Whether a field of this name holds what users and models say to one another, or other free content of requests. */
export function namesContent(name: string): boolean {
  return contentName.test(lettersOf(name))
}

function lettersOf(name: string): string {
  return name.toLowerCase().replace(/[^a-z]/g, '')
}
