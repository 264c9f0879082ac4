// SPDX-License-Identifier: Apache-2.0
import {
  MAX_ROW_ACTS,
  MAX_ROWS_ANSWER_BYTES,
  MAX_ROWS_BYTES,
  parseRowResults,
  rangeJson,
  rowActsJson,
  valueLength,
  type RowAct,
  type RowResult,
} from '#core/api/bridge/rows.ts'
import type { Row, WriteTable } from '#core/ports/table.ts'
import { askBridge, type Asking } from './ask.ts'

/** Names, versions and punctuation of an act at most, in characters. */
const BESIDE_VALUE = 4096

/** An act that waits to be asked for, and whom to tell. */
interface Waiting {
  readonly act: RowAct
  readonly resolve: (result: RowResult) => void
  readonly reject: (reason: unknown) => void
}

/**
 * The table of a bridge in a cloud, as the institution's own computer has it: by requests that it signs. Acts that are begun at once are
 * asked for together.
 * Failure: as the port says; where a request was not answered, each of its acts may have been carried out.
 * @throws AmpereError as the bridge answers, UPSTREAM_FAILED
 */
export function rowsBehind(asking: Asking): WriteTable {
  let waiting: Waiting[] = []
  const flush = () => {
    const all = waiting
    waiting = []
    for (const batch of batchesOf(all)) void carryOut(asking, batch)
  }
  const ask = <T extends RowResult>(act: RowAct) =>
    new Promise<T>((resolve, reject) => {
      if (waiting.length === 0) queueMicrotask(flush)
      waiting.push({ act, resolve: resolve as (result: RowResult) => void, reject })
    })
  return {
    get: (partition, key) => ask<Row | null>({ act: 'get', partition, key }),
    range: (partition, range) => ask<readonly Row[]>({ act: 'range', partition, range: rangeJson(range) }),
    insert: (partition, key, value) =>
      ask<'inserted' | 'exists'>({ act: 'insert', partition, key, value: value.slice() }),
    swap: (partition, key, expected, next) =>
      ask<string | null>({ act: 'swap', partition, key, expected, next: next && next.slice() }),
  }
}

/** In the order in which they came; a page is asked for alone. */
function batchesOf(all: readonly Waiting[]): readonly (readonly Waiting[])[] {
  const batches: Waiting[][] = []
  let [batch, size]: [Waiting[], number] = [[], 0]
  for (const each of all) {
    if (each.act.act === 'range') {
      batches.push([each])
      continue
    }
    const length = BESIDE_VALUE + valueLength(each.act)
    if (batch.length === 0 || batch.length === MAX_ROW_ACTS || size + length > MAX_ROWS_BYTES) {
      ;[batch, size] = [[], 0]
      batches.push(batch)
    }
    batch.push(each)
    size += length
  }
  return batches
}

async function carryOut(asking: Asking, batch: readonly Waiting[]): Promise<void> {
  const acts = batch.map(({ act }) => act)
  try {
    const body = rowActsJson(acts)
    const question = { method: 'POST', path: '/rows', body, maxAnswerBytes: MAX_ROWS_ANSWER_BYTES } as const
    const results = parseRowResults(acts, await askBridge(asking, question))
    for (const [at, { resolve }] of batch.entries()) resolve(results[at] ?? null)
  } catch (error) {
    for (const { reject } of batch) reject(error)
  }
}
