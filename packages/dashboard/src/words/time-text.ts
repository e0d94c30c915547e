const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const shortClock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' })
const dayAndClock = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})
const whole = new Intl.DateTimeFormat('en-GB', { dateStyle: 'full', timeStyle: 'long' })

/** The viewer's time zone by name: `Europe/Berlin`. */
export const zoneName = Intl.DateTimeFormat().resolvedOptions().timeZone

/** How far the viewer's zone is from UTC at an instant: `UTC+2`, `UTC`. */
export function zoneOffsetText(at: number): string {
  const minutes = -new Date(at).getTimezoneOffset()
  if (minutes === 0) return 'UTC'
  const rest = Math.abs(minutes) % 60
  return `UTC${minutes < 0 ? '−' : '+'}${Math.floor(Math.abs(minutes) / 60)}${rest === 0 ? '' : `:${String(rest).padStart(2, '0')}`}`
}

/** `14:02:35` */
export function clockTimeText(at: number): string {
  return clock.format(at)
}

/** `14:02` */
export function shortTimeText(at: number): string {
  return shortClock.format(at)
}

/** `14:02:35`, with the day when it is another one: `22 Nov, 14:02:35`. */
export function instantText(at: number, now: number): string {
  return new Date(at).toDateString() === new Date(now).toDateString() ? clock.format(at) : dayAndClock.format(at)
}

/** With day, year and zone. */
export function wholeTimeText(at: number): string {
  return whole.format(at)
}
