/** What most circuits have nothing of: made when the first of it happens. */
export class CircuitTotals {
  ignored = 0
  refused = 0
  opened = 0
  wouldHaveOpened = 0
  ejectionsCapped = 0
}

export const noTotals: Readonly<CircuitTotals> = new CircuitTotals()
