// SPDX-License-Identifier: Apache-2.0
import { utf8 } from '#core/bytes/encoding.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import { createRecord } from '#core/client/acts/create-record.ts'
import type { Connection } from '#core/client/connect.ts'
import { blockReceipt } from '#core/client/receipt/block-receipt.ts'
import type { CloudDeployment } from './cloud-folder.ts'
import { failure } from '#infra/deploy/failure.ts'

/** What was seen of a deployment that answers. */
export interface Smoke {
  readonly record: string
  readonly blocks: number
  readonly appendMs: number
  readonly receiptMs: number
}

/** For how long an answer is waited for at most, and between two tries, in milliseconds. */
const READY_MS = 180_000
const AGAIN_MS = 2000
const RECEIPT_AGAIN_MS = 250

/** Waits until a home says that it can serve and that its log is written. @throws DeployFailure */
export async function untilReady(
  origin: string,
  ask: (request: Request) => Promise<Response>,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  let said = 'nothing'
  for (let waited = 0; waited <= READY_MS; waited += AGAIN_MS) {
    said = await readiness(origin, ask)
    if (said === 'ok') return
    await pause(AGAIN_MS)
  }
  throw failure(
    `${origin} does not answer as it should after ${READY_MS / 1000} s: ${said}`,
    'look at the logs of the functions, then run this again',
  )
}

/** What a home says of itself: `ok`, or what is wrong. */
export async function readiness(
  origin: string,
  ask: (request: Request) => Promise<Response>,
): Promise<string> {
  try {
    const answer = await ask(new Request(`${origin}/health/ready`))
    const text = await answer.text()
    if (!answer.ok) return `${answer.status} ${text.slice(0, 300)}`
    const { log } = JSON.parse(text) as { log?: string }
    return log === 'ok' ? 'ok' : 'its log is not written yet'
  } catch (error) {
    return error instanceof Error ? error.message : 'no answer'
  }
}

/**
 * Appends to the record of trials, which it creates the first time, waits for the receipt and reads it back, all verified: what an
 * institution's software will do. The record holds lines that say what it is, and no patient.
 * @param remember is told of a record once it was created
 * @throws AmpereError of whatever did not verify
 */
export async function smokeTest(
  connection: Connection,
  { home, trial }: CloudDeployment,
  pause: (ms: number) => Promise<void>,
  remember: (record: ChainId) => void,
): Promise<Smoke> {
  if (!home) throw failure('the deployment was not set up', 'run this again')
  const record = trial ?? (await createTrial(connection, home))
  if (trial === undefined) remember(record)
  const text = 'A deployment was tried.'
  const started = performance.now()
  await connection.append(record, [{ header: utf8('{}'), content: utf8(text), compartment: 'general' }])
  const appended = performance.now()
  const view = await connection.read(record)
  const entry = view.opened.find(({ height }) => height === view.height)
  if (!entry || Buffer.from(entry.content).toString('utf8') !== text)
    throw failure('what was appended is not what is read', 'do not use this deployment; report it')
  await untilLogged(connection, record, view.height, pause)
  const ended = performance.now()
  return {
    record,
    blocks: view.height + 1,
    appendMs: Math.round(appended - started),
    receiptMs: Math.round(ended - appended),
  }
}

async function createTrial(
  connection: Connection,
  { deployment, origin }: NonNullable<CloudDeployment['home']>,
): Promise<ChainId> {
  return (await createRecord(connection, { deployment, origin }, ['general'])).record
}

/** Until the newest block has a receipt under the pinned keys of the log. */
async function untilLogged(
  connection: Connection,
  record: ChainId,
  height: number,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  for (let waited = 0; waited <= READY_MS; waited += RECEIPT_AGAIN_MS) {
    if (await blockReceipt(connection, await connection.replica(record), height)) return
    await pause(RECEIPT_AGAIN_MS)
  }
  throw failure(
    `what was appended has no receipt after ${READY_MS / 1000} s`,
    'look at the log of the function sequencer, then run this again',
  )
}
