import type { ErrorView, SessionView } from '@holdfast/server/wire'
import { signal } from '@preact/signals'

/** Who the page works for; null until the server has said. */
export const session = signal<SessionView | null>(null)

/** A refusal of the server, in its own words. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** @throws ApiError when the server refuses, TypeError when it cannot be reached. */
export async function getJson<T>(path: string, abort?: AbortSignal): Promise<T> {
  return await ask<T>(path, abort === undefined ? {} : { signal: abort })
}

export async function postJson<T>(path: string, body: unknown): Promise<T> {
  return await ask<T>(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
}

export async function deleteJson<T>(path: string): Promise<T> {
  return await ask<T>(path, { method: 'DELETE' })
}

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  const response = await fetch(path, { ...init, credentials: 'same-origin', cache: 'no-store' })
  if (response.ok) return (await response.json()) as T
  const body: unknown = await response.json().catch(() => null)
  const refusal = (body as Partial<ErrorView> | null)?.error
  throw new ApiError(response.status, refusal?.code ?? 'unknown', refusal?.message ?? `the server answered ${response.status}`)
}
