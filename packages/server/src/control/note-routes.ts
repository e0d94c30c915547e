import { Hono } from 'hono'
import * as z from 'zod'
import type { ControlEnvironment } from './environment.ts'
import { readBody } from './read-body.ts'

export interface NoteRoutesOptions {
  /** Puts a note on the time axis. */
  readonly addNote: (text: string, by: string) => void
}

const noteBody = z.strictObject({ text: z.string({ error: 'must be a text' }).trim().min(1, { error: 'must not be empty' }).max(200) })

/** `POST /api/v1/notes`: a deploy, a test, anything that may explain what the time axis shows. */
export function noteRoutes({ addNote }: NoteRoutesOptions): Hono<ControlEnvironment> {
  return new Hono<ControlEnvironment>().post('/notes', (context) => {
    const body = readBody(context, noteBody)
    if (body instanceof Response) return body
    context.var.record({ action: 'note.added', subject: 'notes', after: { text: body.text } })
    addNote(body.text, context.var.identity?.name ?? 'unknown')
    return context.json({ noted: body.text }, 201)
  })
}
