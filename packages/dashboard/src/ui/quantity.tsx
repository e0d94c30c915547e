interface QuantityProps {
  /** With its unit after a blank, as the words/ functions give it: `97.5 %`, `850 ms`. */
  readonly text: string
}

/** A number with its unit small and quiet after it. */
export function Quantity({ text }: QuantityProps) {
  const blank = text.indexOf(' ')
  if (blank < 0) return <span class="quantity">{text}</span>
  return (
    <span class="quantity">
      {text.slice(0, blank)}
      <small> {text.slice(blank + 1)}</small>
    </span>
  )
}
