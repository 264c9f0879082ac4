// SPDX-License-Identifier: Apache-2.0
import type { LookupAnswer } from '../../api/lookup.ts'
import type { Digest } from '../../bytes/ids.ts'
import type { Policy } from '../../log/policy/policy.ts'
import type { Connection } from '../connect.ts'
import type { Replica } from '../read/replica.ts'
import { blockReceipt } from '../receipt/block-receipt.ts'
import type { ProvenReceipt } from '../receipt/judge.ts'
import type { LogView } from '../receipt/judge-blocks.ts'
import { askMonitor } from './ask-monitor.ts'
import { treesConvict } from './compared-trees.ts'
import {
  concluded,
  countedMonitors,
  nextLabel,
  wordOf,
  type Completeness,
  type JudgedWord,
  type NotComplete,
  type RecordEnd,
} from './monitor-words.ts'

/** How often the record is read again because it grew in between. */
const MAX_ATTEMPTS = 5

/** What monitors answered of a record, for whoever is to judge it later. */
export interface AskedRecord {
  /** The record as it was when they answered. */
  readonly replica: Replica
  readonly complete: Completeness
  /** Those answers that say something, by origin. */
  readonly answers: ReadonlyMap<string, LookupAnswer>
  /** By which the block after the newest one is named; null where this reader has none. */
  readonly labelKey: Uint8Array | null
}

/**
 * Asks the pinned monitors whether the log of the home has a leaf for the block after the newest one. A record is
 * complete as of the time at which the pinned number of them had it absent, from trees that the quorum of the pinned
 * policy cosigned then. One that has it convicts the home of withholding, once the home, asked again, still shows no more.
 * @param log what the receipts of the replica say, of `readReceipts`
 * @throws AmpereError as reading the replica does
 */
export async function checkComplete(
  connection: Connection,
  replica: Replica,
  log: LogView | null,
): Promise<Completeness> {
  const known = log?.receipts[replica.head.height] ?? null
  return (await askUntilSettled(connection, replica, known)).complete
}

/** The same with what was answered; the receipt of the newest block is asked for. @throws AmpereError as `checkComplete` */
export async function askComplete(connection: Connection, replica: Replica): Promise<AskedRecord> {
  // Where nobody is asked, nothing needs that receipt.
  const receipt = connection.ports.pins.monitors
    ? await blockReceipt(connection, replica, replica.head.height)
    : null
  return askUntilSettled(connection, replica, receipt)
}

async function askUntilSettled(
  connection: Connection,
  replica: Replica,
  receipt: ProvenReceipt | null,
): Promise<AskedRecord> {
  let [current, proven] = [replica, receipt]
  for (let attempt = 0; ; attempt++) {
    const asked = await askAll(connection, current, proven)
    if (asked.complete.why !== 'withheld') return asked
    // The monitor may have seen what was appended after the head was read: then the home shows it too.
    const next = await connection.replica(current.chain)
    if (next.head.height === current.head.height) return asked
    if (attempt === MAX_ATTEMPTS) return { ...asked, complete: { ...asked.complete, why: 'growing' } }
    proven = await blockReceipt(connection, next, next.head.height)
    current = next
  }
}

async function askAll(
  connection: Connection,
  replica: Replica,
  receipt: ProvenReceipt | null,
): Promise<AskedRecord> {
  const { pins, evidence = null } = connection.ports
  const { policy, monitors, origin: home } = pins
  const end = { chain: replica.chain, height: replica.head.height, receipt }
  const not = (why: NotComplete): AskedRecord => ({
    replica,
    complete: { height: end.height, asOfMs: null, why, words: [], forked: null },
    answers: new Map(),
    labelKey: null,
  })
  const origins = countedMonitors(monitors, home)
  if (!monitors || origins.length === 0) return not('no-monitor')
  if (!policy || policy.quorum === null) return not('no-quorum')
  const { labelKey } = await connection.keyring(replica)
  if (!labelKey) return not('no-label-key')
  const answers = new Map<string, LookupAnswer>()
  const label = nextLabel(labelKey, end)
  const asked = origins.map((origin) => askOne(connection, policy, { origin, label, end }, answers))
  const complete = await concluded(await Promise.all(asked), end, {
    need: monitors.need,
    nowMs: connection.ports.now(),
    comparing: { trees: connection.treesOf(home), convict: treesConvict(policy, home, evidence) },
  })
  return { replica, complete, answers, labelKey }
}

async function askOne(
  connection: Connection,
  policy: Policy,
  asked: { readonly origin: string; readonly label: Digest; readonly end: RecordEnd },
  answers: Map<string, LookupAnswer>,
): Promise<JudgedWord> {
  const { origin, label } = asked
  const { registry, verifiers } = connection.sync
  const { pins, now } = connection.ports
  const context = { home: pins.origin, policy, records: registry.newest(), verifiers, nowMs: now() }
  let answer: LookupAnswer | null = null
  const judged = await wordOf(
    context,
    asked,
    async () => (answer = await askMonitor(connection, origin, label)),
  )
  const { says } = judged.word
  if (answer && (says === 'absent' || says === 'present')) answers.set(origin, answer)
  return judged
}
