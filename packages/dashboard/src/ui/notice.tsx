import type { ComponentChildren } from 'preact'

/** There is nothing to show, and why that is so. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="notice">
      <p class="notice-title">{title}</p>
      {children !== undefined && <div class="quiet">{children}</div>}
    </div>
  )
}

/** It is on its way. */
export function Loading({ what }: { readonly what: string }) {
  return (
    <p class="notice quiet" role="status">
      Loading {what} …
    </p>
  )
}

/** It could not be shown: the reason, and a way to try again. */
export function Failed({ title, reason, onRetry }: { readonly title: string; readonly reason: string; readonly onRetry?: () => void }) {
  return (
    <div class="notice" role="alert">
      <p class="notice-title failed">{title}</p>
      <p class="quiet">{reason}</p>
      {onRetry !== undefined && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  )
}
