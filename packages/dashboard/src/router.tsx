import { computed, signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { parsePath, type Route } from './route-path.ts'

export type { Route }

const path = signal(readPath())

/** The page that the address names. Names are one encoded part of it, whatever they hold. */
export const route = computed<Route>(() => parsePath(path.value))

/** Goes to a path such as `/policies`. */
export function navigate(to: string): void {
  location.hash = `#${to}`
}

export function policyPath(id: string): string {
  return `/policies/${encodeURIComponent(id)}`
}

export function dependencyPath(name: string): string {
  return `/dependencies/${encodeURIComponent(name)}`
}

export function startRouter(): void {
  addEventListener('hashchange', () => (path.value = readPath()))
}

interface LinkProps {
  /** A path such as `/policies`. */
  readonly to: string
  readonly class?: string
  readonly current?: boolean
  readonly children: ComponentChildren
}

export function Link({ to, current = false, children, ...rest }: LinkProps) {
  return (
    <a href={`#${to}`} {...(current ? { 'aria-current': 'page' as const } : {})} {...rest}>
      {children}
    </a>
  )
}

/** `#token=…` is no path: it logs in and is taken off the address. */
function readPath(): string {
  const hash = location.hash.slice(1)
  return hash.startsWith('/') ? hash : '/'
}
