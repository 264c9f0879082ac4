// SPDX-License-Identifier: Apache-2.0
import { AmpereError, isAmpereError, type ErrorCode } from '../../errors.ts'
import type { NoteSignature } from '../../log/note/note.ts'
import type { Deadline } from '../../order/deadline.ts'
import type { Home } from '../home.ts'
import { loadTree } from '../sequence/tree.ts'
import { askWitness, type Asked, type Offer } from './ask-witness.ts'
import type { Memory } from './memory.ts'
import type { CosignerPorts } from './needs.ts'

/** A witness that did not cosign. */
export interface Failed {
  readonly url: string
  readonly code: ErrorCode
  readonly why: string
}

/** What one witness answered. */
export interface Gathered {
  readonly asked: Asked
  readonly signatures: readonly NoteSignature[]
  readonly isUntimely: boolean
  readonly failed: Failed | null
  /** What it said could not be held against the store of this home. */
  readonly isUnjudged: boolean
}

/** Asks one witness, and remembers what it said that it has. */
export async function askOne(
  ports: CosignerPorts,
  { verifiers }: Pick<Home, 'verifiers'>,
  what: {
    readonly asked: Asked
    /** What it is thought to have where it did not answer yet. */
    readonly had: number
    readonly offer: Offer
    readonly memory: Memory
    readonly deadline: Deadline
  },
): Promise<Gathered> {
  const { asked, had, offer, deadline } = what
  const { sizes } = what.memory
  let isUnjudged = false
  try {
    const request = { fetch: ports.fetch, now: ports.now, deadline }
    const answer = await askWitness(request, asked, offer, sizes.get(asked.url) ?? had, verifiers)
    isUnjudged = true
    const isAhead = answer.size > offer.size && !(await isCommitted(ports, answer.size))
    isUnjudged = false
    note(what.memory, asked.url, { size: answer.size, isAhead, isRefused: answer.isRefused })
    if (isAhead)
      throw new AmpereError('STORE_CORRUPT', 'the witness has cosigned a larger tree than this home has')
    if (answer.isRefused) throw new AmpereError('UPSTREAM_FAILED', 'the witness answered 422')
    const { signatures, isUntimely } = answer
    return { asked, signatures, isUntimely, failed: null, isUnjudged }
  } catch (error) {
    if (!isAmpereError(error)) throw error
    const failed = { url: asked.url, code: error.code, why: error.message }
    return { asked, signatures: [], isUntimely: false, failed, isUnjudged }
  }
}

/** One whose answer could not be held against the store is not noted, and asked again. */
function note(
  { sizes, ahead, refusing, looks }: Memory,
  url: string,
  said: { readonly size: number; readonly isAhead: boolean; readonly isRefused: boolean },
): void {
  sizes.set(url, said.size)
  // What it shows is asked for at once, however often it was asked for something else.
  if ((said.isAhead && !ahead.has(url)) || (said.isRefused && !refusing.has(url))) looks.end(url)
  if (said.isAhead) ahead.add(url)
  else ahead.delete(url)
  if (said.isRefused) refusing.add(url)
  else if (!said.isAhead) refusing.delete(url)
}

/** A witness may be ahead of what was read a moment ago, never of what this log has committed. */
async function isCommitted({ tables }: CosignerPorts, size: number): Promise<boolean> {
  const committed = await loadTree(tables.checkpoints)
  return committed !== null && committed.tree.checkpoint.size >= size
}
