// SPDX-License-Identifier: Apache-2.0
import type { ChainId, EntryId } from '#core/bytes/ids.ts'
import { timestampMs, toTimestamp } from '#core/bytes/timestamp.ts'
import { isAmpereError } from '#core/errors.ts'
import {
  erasableFrom,
  pendingErasure,
  requestErasure,
  settleErasure,
  type Erasure,
} from '#core/client/acts/erase-entries.ts'
import {
  chainArgument,
  MIN_NAME,
  shortId,
  withSession,
  type ActingOptions,
  type Session,
} from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { confirmGrave, type GraveOptions } from '../../terminal/confirm.ts'
import { EXIT } from '../../terminal/screen.ts'
import { counted, localTime } from '../../terminal/words.ts'

export interface EraseOptions extends ActingOptions, GraveOptions {
  readonly entries?: readonly string[]
  readonly record?: boolean
  readonly ground: Erasure['ground']
  readonly cancel?: number
  readonly complete?: number
  readonly unwitnessed?: boolean
}

/** The grounds for erasing, as a block names them. */
export const GROUNDS = ['patient-request', 'misfiled', 'legal-duty', 'consent-withdrawn'] as const

/** Requests, completes or cancels an erasure. */
export async function erase(call: Call<EraseOptions>): Promise<number> {
  const { entries, record, cancel, complete } = call.options
  const asked = [entries, record, cancel, complete].filter((value) => value !== undefined)
  if (asked.length !== 1) throw usage('give one of --entries, --record, --complete and --cancel')
  return withSession(call, async (session) => {
    const chain = await chainArgument(session, call.args[0] ?? '')
    if (cancel !== undefined) return cancelErasure(call, session, chain, cancel)
    return complete === undefined
      ? request(call, session, chain)
      : completeErasure(call, session, chain, complete)
  })
}

async function request(call: Call<EraseOptions>, session: Session, chain: ChainId): Promise<number> {
  const { screen, options } = call
  const { connection, institution } = session.open
  if (institution.instances.length < 2) {
    const message = `erasing needs two app instances of ${institution.id}, so that one stolen key cannot erase`
    throw refuse('FORBIDDEN', message, `npx ampere instance enrol --as ${institution.id}`)
  }
  const scope = options.record === true ? ('record' as const) : ('entries' as const)
  const entries = scope === 'record' ? [] : await chosenEntries(session, chain, options.entries ?? [])
  const what = scope === 'record' ? 'the whole record' : counted(entries.length, 'entry', 'entries')
  await refuseRepeated(session, chain, { scope, entries, ground: options.ground })
  const said = { chain, scope, entries: entries.map(({ id }) => id), ground: options.ground }
  if (!(await confirmed(call, chain, [`Erases ${what} for good after 72 hours.`]))) {
    screen.print({ ok: true, dryRun: true, block: null, notBefore: null, ...said }, [
      'Nothing was changed (--dry-run).',
    ])
    return EXIT.ok
  }
  const approvers = { instances: institution.instances.slice(0, 2) }
  const { block } = await requestErasure(
    connection,
    chain,
    { scope, entries, ground: options.ground },
    approvers,
  )
  const notBefore = block.type === 'erase' ? block.body.notBefore : ''
  screen.print({ ok: true, dryRun: false, block: block.height, notBefore, ...said }, [
    `Requested in block ${block.height}. Until ${localTime(notBefore)}: npx ampere erase ${shortId(chain)} --cancel ${block.height}`,
    `Then      npx ampere erase ${shortId(chain)} --complete ${block.height}`,
  ])
  return EXIT.ok
}

/** Asked for twice it would wait twice, and cancelling one would leave the other. @throws AmpereError ALREADY_EXISTS */
async function refuseRepeated({ open }: Session, chain: ChainId, erasure: Erasure): Promise<void> {
  const { state } = (await open.connection.replica(chain)).link
  const pending = pendingErasure(state, erasure)
  if (!pending) return
  const { height, notBefore } = pending
  throw refuse(
    'ALREADY_EXISTS',
    `block ${height} requested the same already; nothing was changed. It can be completed from ${localTime(notBefore)} on, and cancelled until then`,
    `npx ampere erase ${shortId(chain)} --complete ${height}, or --cancel ${height}`,
  )
}

/** The entries whose ids begin so, each unambiguously; what is erased already is not among them. */
async function chosenEntries(
  { open }: Session,
  chain: ChainId,
  starts: readonly string[],
): Promise<{ height: number; id: EntryId }[]> {
  const view = await open.connection.read(chain)
  const known = [...view.opened, ...view.closed.filter(({ status }) => status !== 'erased')]
  return starts.flatMap((start) => {
    const found = known.filter(({ id }) => id.startsWith(start))
    const ids = new Set(found.map(({ id }) => id))
    // One that was copied to other blocks goes with its copies.
    if (ids.size === 1) return found.map(({ height, id }) => ({ height, id }))
    const message =
      ids.size > 1
        ? `several entries begin with ${start.slice(0, 22)}; give more characters`
        : `no entry begins with ${start.slice(0, 22)}`
    throw refuse('NOT_FOUND', message, `npx ampere chain show ${shortId(chain)} --block HEIGHT`)
  })
}

async function completeErasure(
  call: Call<EraseOptions>,
  session: Session,
  chain: ChainId,
  height: number,
): Promise<number> {
  const { screen } = call
  const { connection, institution } = session.open
  await refuseEarly(call, session, chain, height)
  const says = [`Erases what block ${height} requested, now and for good. Nobody can bring it back.`]
  if (!(await confirmed(call, chain, says))) {
    screen.print({ ok: true, dryRun: true, chain, act: 'complete', block: null }, [
      'Nothing was changed (--dry-run).',
    ])
    return EXIT.ok
  }
  const { block } = await settleErasure(connection, chain, height, 'complete')
  const isForgotten = await forgetHere(session, chain)
  screen.print({ ok: true, dryRun: false, chain, act: 'complete', block: block.height }, [
    `Erased at the home (block ${block.height}). Nobody can bring it back; who opened it may have copies.`,
    `Its blocks are erasing until every institution that could read them says that its copy is gone, ${isForgotten ? `as ${institution.id} does now` : `${institution.id} included`}.`,
  ])
  return EXIT.ok
}

/** @throws AmpereError NOT_FOUND, PRECONDITION_FAILED before its delay has passed, as the home and as witnesses see it */
async function refuseEarly(
  { screen, options }: Call<EraseOptions>,
  { open: { connection } }: Session,
  chain: ChainId,
  height: number,
): Promise<void> {
  const replica = await connection.replica(chain)
  const pending = replica.link.state.pending.find((item) => item.height === height)
  const record = shortId(chain)
  if (!pending)
    throw refuse(
      'NOT_FOUND',
      `no erasure is pending that block ${height} requested`,
      `npx ampere chain show ${record}`,
    )
  const now = screen.terminal.now()
  if (timestampMs(pending.notBefore) > now)
    throw refuse(
      'PRECONDITION_FAILED',
      `it can be completed from ${localTime(pending.notBefore)} on, and cancelled until then`,
    )
  if (options.unwitnessed === true) return
  const from = await erasableFrom(connection, replica, pending)
  if (from !== null && from <= now) return
  const anyway = `or complete it with --unwitnessed: then every verifier will say for good that nobody saw its delay pass`
  throw from === null
    ? refuse(
        'PRECONDITION_FAILED',
        `not enough witnesses have seen its request, in block ${height}, and its delay counts from then on`,
        `npx ampere witness status, ${anyway}`,
      )
    : refuse(
        'PRECONDITION_FAILED',
        `witnesses saw its request late: it can be completed from ${localTime(toTimestamp(from))} on, and cancelled until then`,
        `wait, ${anyway}`,
      )
}

/** This institution's bridge forgets what was erased, and what was found in it. False when it has to do so later. */
async function forgetHere({ open }: Session, chain: ChainId): Promise<boolean> {
  const known = (await open.records()).find((record) => record.chain === chain)
  if (!known) return false
  try {
    await open.bridge.recheck(known.id)
    return true
  } catch (error) {
    if (!isAmpereError(error)) throw error
    return false
  }
}

async function cancelErasure(
  call: Call<EraseOptions>,
  session: Session,
  chain: ChainId,
  height: number,
): Promise<number> {
  const dryRun = call.options.dryRun === true
  const done = dryRun ? null : await settleErasure(session.open.connection, chain, height, 'cancel')
  const block = done?.block.height ?? null
  call.screen.print({ ok: true, dryRun, chain, act: 'cancel', block }, [
    block === null ? 'Nothing was changed (--dry-run).' : `Cancelled (block ${block}). Nothing is erased.`,
  ])
  return EXIT.ok
}

/** The record's name is the beginning of its id, as it was typed, or as many characters as make it plain. */
function confirmed(call: Call<EraseOptions>, chain: ChainId, says: readonly string[]): Promise<boolean> {
  const typed = call.args[0] ?? ''
  const name = typed.length >= MIN_NAME && typed.length <= 8 ? typed : shortId(chain)
  const isName = (text: string) => text.length >= MIN_NAME && chain.startsWith(text)
  return confirmGrave(call.screen, call.options, { says, name, isName })
}
