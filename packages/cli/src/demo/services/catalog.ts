/** What the search tool finds and the model orders. */
export interface Item {
  readonly sku: string
  readonly name: string
  readonly supplier: string
  /** In cents. */
  readonly price: number
  readonly inStock: boolean
}

export const products: readonly string[] = [
  'nitrile gloves',
  'saline bags',
  'pulse oximeters',
  'gauze rolls',
  'infusion sets',
  'face shields',
  'thermometer covers',
  'suture kits',
  'oxygen masks',
  'specimen tubes',
  'wheelchair cushions',
  'blood pressure cuffs',
]

const suppliers: readonly string[] = ['Northwind', 'Baywater', 'Lindqvist']

/** Every offer for a product; the same in every run. */
export function offersFor(product: string): readonly Item[] {
  const number = products.indexOf(product)
  if (number < 0) return []
  return suppliers.map((supplier, place) => ({
    sku: `${100 + number}-${place + 1}`,
    name: product,
    supplier,
    price: 400 + ((number * 37 + place * 91) % 300),
    inStock: (number + place) % 3 !== 2,
  }))
}

/** The products that a text names. */
export function productsIn(text: string): readonly string[] {
  const lowerCase = text.toLowerCase()
  return products.filter((product) => lowerCase.includes(product))
}
