// SPDX-License-Identifier: Apache-2.0
import { asInstitutionId, type ChainId, type InstitutionId } from '#core/bytes/ids.ts'
import type { Grant } from '#core/block/block.ts'
import { timestampMs, toTimestamp, type Timestamp } from '#core/bytes/timestamp.ts'
import { changeChain } from '#core/client/acts/change-chain.ts'
import { rotateRecord, shareRecord, unshareRecord } from '#core/client/acts/share-record.ts'
import { grantOf } from '#core/chain/state.ts'
import { recordsIn } from '#core/registry/state.ts'
import {
  chainArgument,
  shortId,
  withSession,
  type ActingOptions,
  type Session,
} from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { suggestion } from '../../program/near.ts'
import { refuse, usage } from '../../program/refuse.ts'
import { EXIT } from '../../terminal/screen.ts'
import { listed, localTime } from '../../terminal/words.ts'

interface GrantOptions extends ActingOptions {
  readonly append?: boolean
  readonly hold?: boolean
  readonly compartments?: readonly string[]
  /** Milliseconds since 1970. */
  readonly until?: number
}

/** Grants an institution the right to read, with --append to write too, or with --hold to keep a sealed copy only. */
export async function grant(call: Call<GrantOptions>): Promise<number> {
  const [record = '', wanted = ''] = call.args
  const { append, compartments, until } = call.options
  const holds = call.options.hold === true
  if (append === true && holds)
    throw usage('--hold keeps a sealed copy and writes nothing: not with --append')
  if (until !== undefined && until <= call.screen.terminal.now()) throw usage('--until has passed already')
  return withSession(call, async (session) => {
    const chain = await chainArgument(session, record)
    const institution = memberArgument(session, wanted)
    if (compartments) await checkCompartments(session, chain, compartments)
    const { rights, ...kept } = await besides(session, chain, institution, {
      append: append === true,
      holds,
      nowMs: call.screen.terminal.now(),
    })
    const ends: Timestamp | null = until === undefined ? kept.until : toTimestamp(until)
    const block = await shareRecord(session.open.connection, chain, {
      institution,
      rights,
      ...(compartments ? { compartments } : kept.compartments ? { compartments: kept.compartments } : {}),
      ...(ends === null ? {} : { until: ends }),
      ...(kept.limits ? { limits: kept.limits } : {}),
    })
    const height = block?.block.height ?? null
    const what = compartments ? ` in ${compartments.join(', ')}` : ''
    const time = ends === null ? '' : ` until ${localTime(ends)}`
    const said = { chain, institution, rights, compartments: compartments ?? null, until: ends }
    call.screen.print({ ok: true, block: height, ...said }, [
      height === null
        ? `${institution} may ${listed(rights)}${what}${time} already; nothing was changed.`
        : `${institution} may now ${listed(rights)}${what}${time} (block ${height}).`,
      holds
        ? `There, unless it mirrors this home already: npx ampere mirror join ${session.settings.origin} --policy FILE`
        : `There npx ampere pair link ${chain} --patient ID --as ${institution}`,
      `Undo  npx ampere revoke ${shortId(chain)} ${institution}`,
    ])
    return EXIT.ok
  })
}

/** Reading and holding are granted beside each other: granting one leaves the other as it stands, unless it has ended. */
async function besides(
  { open: { connection } }: Session,
  chain: ChainId,
  institution: InstitutionId,
  { append, holds, nowMs }: { readonly append: boolean; readonly holds: boolean; readonly nowMs: number },
): Promise<Pick<Grant, 'rights' | 'until' | 'limits'> & { readonly compartments: readonly string[] | null }> {
  const replica = await connection.replica(chain)
  const granted = grantOf(replica.link.state, institution)
  const until = granted?.until ?? null
  const before = until !== null && timestampMs(until) <= nowMs ? null : granted
  const others = (before?.rights ?? []).filter((right) => (right === 'hold') !== holds)
  const reads: Grant['rights'] = append ? ['append', 'read'] : ['read']
  const rights = [...(holds ? (['hold'] as const) : reads), ...others].toSorted()
  if (!before || !holds) return { rights, until: null, limits: null, compartments: null }
  const { names } = await connection.keyring(replica)
  return { ...before, rights, compartments: before.compartments.map((id) => names.get(id) ?? '') }
}

/** Takes an institution's grant away: what is sealed from now on stays closed to it. */
export async function revoke(call: Call<ActingOptions>): Promise<number> {
  const [record = '', wanted = ''] = call.args
  return withSession(call, async (session) => {
    const { connection } = session.open
    const chain = await chainArgument(session, record)
    const { state } = (await connection.replica(chain)).link
    const granted = state.grants.map((item) => item.institution as string)
    const institution = asInstitutionId(wanted)
    if (!grantOf(state, institution)) {
      const near = suggestion(wanted, granted)
      throw refuse(
        'NOT_FOUND',
        `${wanted} has no grant on this record, so that nothing was changed; grants: ${granted.join(', ')}${near}`,
        'npx ampere chain list',
      )
    }
    const block = await unshareRecord(connection, chain, institution)
    const height = block?.block.height ?? null
    call.screen.print({ ok: true, chain, institution, block: height }, [
      `${institution} can read nothing new. It may keep what it opened.`,
    ])
    return EXIT.ok
  })
}

/** Gives a record new keys and drops readers that are no longer whitelisted or whose grant has ended. */
export async function rotate(call: Call<ActingOptions>): Promise<number> {
  const [record = ''] = call.args
  return withSession(call, async (session) => {
    const chain = await chainArgument(session, record)
    const { block } = await rotateRecord(session.open.connection, chain)
    const dropped = block.type === 'control' ? block.body.grants.remove : []
    call.screen.print({ ok: true, chain, block: block.height, dropped }, [
      `New keys since block ${block.height}.`,
      ...dropped.map((institution) => `${institution} can read nothing new. It may keep what it opened.`),
    ])
    return EXIT.ok
  })
}

/** Puts a record on hold, or takes the hold away; nothing is erased meanwhile. */
export async function hold(call: Call<ActingOptions & { readonly off?: boolean }>): Promise<number> {
  const [record = ''] = call.args
  const on = call.options.off !== true
  return withSession(call, async (session) => {
    const { connection } = session.open
    const chain = await chainArgument(session, record)
    const { state } = (await connection.replica(chain)).link
    const block = state.hold === on ? null : (await changeChain(connection, chain, { hold: on })).block.height
    call.screen.print({ ok: true, chain, hold: on, block }, [
      `${on ? 'On hold: nothing can be erased' : 'Not on hold'}${block === null ? ', as before; nothing was changed' : ''}.`,
    ])
    return EXIT.ok
  })
}

/** An active institution of the registry. @throws AmpereError NOT_FOUND */
function memberArgument({ open }: Session, text: string): InstitutionId {
  const state = open.connection.sync.registry.link()?.state
  const members = [...(state ? recordsIn(state) : [])].flatMap((record) =>
    record.kind === 'institution' && record.status === 'active' ? [record.id as string] : [],
  )
  if (members.includes(text)) return asInstitutionId(text)
  const known = `the registry has ${members.join(', ')}${suggestion(text, members)}`
  throw refuse(
    'NOT_FOUND',
    `there is no institution ${text.slice(0, 63)}; ${known}`,
    'npx ampere instance list --all',
  )
}

async function checkCompartments(
  { open }: Session,
  chain: ChainId,
  wanted: readonly string[],
): Promise<void> {
  const { names } = await open.connection.keyring(await open.connection.replica(chain))
  const known = [...names.values()]
  const missing = wanted.find((name) => !known.includes(name))
  if (missing === undefined) return
  const near = suggestion(missing, known)
  throw refuse(
    'NOT_FOUND',
    `the record has no compartment ${missing.slice(0, 40)}; it has ${known.toSorted().join(', ')}${near}`,
  )
}
