const services = ['llm', 'search', 'orders']

/** Words on the button, and the fault as the API reads it. */
const faults = [
  ['slow', 'slow:5', 'slow'],
  ['429', 'rate-limit:6', 'rate-limit'],
  ['503', 'outage:error', 'outage'],
  ['refuse', 'outage:refuse', 'outage'],
  ['reset', 'outage:reset', 'outage'],
  ['stall', 'stall', 'stall'],
  ['cut', 'cut', 'cut'],
  ['none', 'none', null],
  ['script', 'script', null],
]

const tokenKey = 'holdfast-token'

/** The buttons that inject faults. The token comes once in the address's fragment (never sent to the server) or is typed in. */
export class FaultForm {
  constructor(form) {
    this.form = form
    this.result = form.querySelector('#fault-result')
    this.duration = form.querySelector('#fault-duration')
    this.tokenField = form.querySelector('#token')
    this.buttons = []
    takeTokenFromAddress()
    form.querySelector('#token-field').hidden = sessionStorage.getItem(tokenKey) !== null
    form.addEventListener('submit', (event) => event.preventDefault())
    form.querySelector('#fault-buttons').append(...services.map((service) => this.rowOf(service)))
  }

  rowOf(service) {
    const row = document.createElement('div')
    row.className = 'row'
    row.role = 'group'
    row.ariaLabel = `Faults of ${service}`
    const name = document.createElement('span')
    name.textContent = service
    row.append(name, ...faults.map((fault) => this.buttonOf(service, fault)))
    return row
  }

  buttonOf(service, [words, fault, kind]) {
    const button = document.createElement('button')
    button.type = 'button'
    button.textContent = words
    if (kind !== null) button.setAttribute('aria-pressed', 'false')
    button.addEventListener('click', () => void this.inject(service, fault))
    this.buttons.push({ button, service, fault, kind })
    return button
  }

  /** Marks what is in force now. */
  show({ faults: active }) {
    for (const { button, service, fault, kind } of this.buttons) {
      if (kind === null) continue
      const current = active.find((each) => each.service === service)?.fault
      const mode = fault.split(':')[1]
      const pressed = current?.kind === kind && (kind !== 'outage' || current.mode === mode)
      button.setAttribute('aria-pressed', String(pressed))
    }
  }

  async inject(service, fault) {
    const typed = this.tokenField.value
    const token = typed === '' ? sessionStorage.getItem(tokenKey) : typed
    const forMs = this.duration.value === '' || fault === 'script' ? undefined : Number(this.duration.value)
    try {
      const response = await fetch('/api/v1/demo/faults', {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...(token ? { authorization: `Bearer ${token}` } : {}) },
        body: JSON.stringify({ service, fault, reason: 'injected on the page', ...(forMs === undefined ? {} : { forMs }) }),
      })
      if (response.ok && typed !== '') sessionStorage.setItem(tokenKey, typed)
      if (response.status === 401 || response.status === 403) this.askForToken()
      this.result.textContent = response.ok ? acceptedWords(service, fault, forMs) : `Not done: ${await problemOf(response)}`
    } catch {
      this.result.textContent = 'Not done: the server cannot be reached.'
    }
  }

  askForToken() {
    sessionStorage.removeItem(tokenKey)
    this.form.querySelector('#token-field').hidden = false
  }
}

function acceptedWords(service, fault, forMs) {
  if (fault === 'script') return `${service} follows the script again.`
  return `${service}: ${fault}${forMs === undefined ? '' : ` for ${forMs / 1_000} s`}.`
}

async function problemOf(response) {
  const body = await response.json().catch(() => null)
  const message = body?.error?.message ?? body?.message ?? body?.detail ?? body?.error
  return typeof message === 'string' ? message : `the server answered ${response.status}`
}

/** `#token=…` is kept for this tab and taken out of the address, so that it does not stay in the history. */
function takeTokenFromAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token')
  if (token === null) return
  sessionStorage.setItem(tokenKey, token)
  history.replaceState(null, '', location.pathname + location.search)
}
