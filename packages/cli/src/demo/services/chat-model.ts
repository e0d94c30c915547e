import { offersFor, productsIn, type Item } from './catalog.ts'
import type { ChatRequest } from './chat-request.ts'

/** What the model says. */
export interface Reply {
  readonly content: string
  readonly toolCall?: { readonly name: string; readonly arguments: string }
}

/**
 * A purchasing assistant small enough to be understood: it asks the search tool for the product the user names, then orders the
 * cheapest offer in stock. It knows a usual supplier, for when the search finds nothing.
 */
export function replyTo(request: ChatRequest): Reply {
  const wish = request.messages.findLast((message) => message.role === 'user')?.text ?? ''
  const product = productsIn(wish)[0]
  if (product === undefined) return { content: 'Tell me which product to order, and how many.' }
  const found = request.messages.findLast((message) => message.role === 'tool')
  if (found === undefined) {
    if (request.tools.includes('search'))
      return { content: '', toolCall: { name: 'search', arguments: JSON.stringify({ query: product }) } }
    return { content: `I would look for ${product}, but I was given no search tool.` }
  }
  return orderFor(product, quantityIn(wish), itemsIn(found.text))
}

function orderFor(product: string, quantity: number, items: readonly Item[]): Reply {
  const found = items.find((item) => item.inStock)
  const item = found ?? offersFor(product)[0]!
  const reason =
    found === undefined ? 'The search found nothing in stock, so I take the usual supplier' : 'This is the cheapest offer in stock'
  return {
    content: `${reason}: ${item.name} from ${item.supplier} at ${(item.price / 100).toFixed(2)} each. I order ${quantity} now.`,
    toolCall: { name: 'place_order', arguments: JSON.stringify({ sku: item.sku, quantity }) },
  }
}

function quantityIn(wish: string): number {
  return Number(/\b(\d{1,3}) ×/.exec(wish)?.[1] ?? 1)
}

function itemsIn(toolResult: string): readonly Item[] {
  try {
    const { items } = JSON.parse(toolResult) as { items?: unknown }
    return Array.isArray(items) ? (items as Item[]) : []
  } catch {
    return []
  }
}
