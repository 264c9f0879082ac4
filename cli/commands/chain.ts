// SPDX-License-Identifier: Apache-2.0
import { asInstitutionId } from '#core/bytes/ids.ts'
import { changeChain, rotateChain } from '#core/client/acts/change-chain.ts'
import { requestErasure, settleErasure } from '#core/client/acts/erase-entries.ts'
import { AmpereError } from '#core/errors.ts'
import { plainId } from '../program/dash-ids.ts'
import { EXIT, print } from '../terminal/output.ts'
import { grantTo } from '../demo/story.ts'
import { chainArgument, knownChains, withSession, type ActingOptions } from '../deployment/session.ts'

/** Lists the records that this institution knows. */
export async function listRecords(options: ActingOptions): Promise<number> {
  return withSession(options, async (session) => {
    const rows = []
    for (const { chain } of await knownChains(session)) {
      const replica = await session.open.connection.replica(chain)
      const { state } = replica.link
      rows.push({
        chain,
        blocks: replica.notes.length,
        epoch: state.epoch.number,
        readers: state.grants.length,
        hold: state.hold,
      })
    }
    print(
      options,
      { items: rows },
      rows.map(
        (row) =>
          `${row.chain}  ${row.blocks} blocks, epoch ${row.epoch}, ${row.readers} grants${row.hold ? ', on hold' : ''}`,
      ),
    )
    return EXIT.ok
  })
}

/** Shows a record's blocks: type, time, author and status of the entries, never contents. */
export async function showRecord(text: string, options: ActingOptions & { block?: string }): Promise<number> {
  return withSession(options, async (session) => {
    const chain = await chainArgument(session, text)
    const replica = await session.open.connection.replica(chain)
    const view = await session.open.connection.read(chain)
    const items = replica.notes
      .filter((note) => options.block === undefined || note.height === Number(options.block))
      .map((note) => ({
        height: note.height,
        id: note.id,
        time: note.time,
        author: note.kid.slice(0, 8),
        entries: note.entries?.count ?? 0,
        closed: view.closed.filter((entry) => entry.height === note.height).map((entry) => entry.status),
        ids: view.opened.filter((entry) => entry.height === note.height).map((entry) => entry.id),
      }))
    const lines = items.map((item) => {
      const closed =
        item.closed.length === 0 ? '' : `, ${item.closed.length} ${[...new Set(item.closed)].join(', ')}`
      return `${String(item.height).padStart(5)}  ${item.time}  ${item.author}  ${item.entries} entries${closed}`
    })
    const ids =
      options.block === undefined ? [] : items.flatMap((item) => item.ids.map((id) => `       entry ${id}`))
    print(options, { chain, items }, [...lines, ...ids])
    return EXIT.ok
  })
}

/** Grants an institution the right to read, and with --append to write. */
export async function grant(
  text: string,
  institution: string,
  options: ActingOptions & { append?: boolean; compartments?: string },
): Promise<number> {
  return withSession(options, async (session) => {
    const chain = await chainArgument(session, text)
    const rights = options.append === true ? (['append', 'read'] as const) : (['read'] as const)
    await grantTo(session.open.connection, chain, institution, [...rights], options.compartments?.split(','))
    print(options, { ok: true }, [`${institution} may now ${rights.join(' and ')}.`])
    return EXIT.ok
  })
}

/** Takes an institution's grant away: what is sealed from now on stays closed to it. */
export async function revoke(text: string, institution: string, options: ActingOptions): Promise<number> {
  return withSession(options, async (session) => {
    const chain = await chainArgument(session, text)
    const block = await changeChain(session.open.connection, chain, {
      revoke: [asInstitutionId(institution)],
    })
    print(options, { ok: true, block: block.block.height }, [
      `${institution} can read nothing new. It may keep what it opened.`,
    ])
    return EXIT.ok
  })
}

/** Gives a record new keys and drops readers that are no longer whitelisted. */
export async function rotate(text: string, options: ActingOptions): Promise<number> {
  return withSession(options, async (session) => {
    const block = await rotateChain(session.open.connection, await chainArgument(session, text))
    print(options, { ok: true, block: block.block.height }, [`New keys since block ${block.block.height}.`])
    return EXIT.ok
  })
}

/** Puts a record on hold, or takes the hold away; nothing is erased meanwhile. */
export async function hold(text: string, options: ActingOptions & { off?: boolean }): Promise<number> {
  return withSession(options, async (session) => {
    const on = options.off !== true
    const block = await changeChain(session.open.connection, await chainArgument(session, text), { hold: on })
    print(options, { ok: true, hold: on, block: block.block.height }, [
      on ? 'On hold: nothing can be erased.' : 'No longer on hold.',
    ])
    return EXIT.ok
  })
}

export interface EraseOptions extends ActingOptions {
  readonly entries?: string
  readonly record?: boolean
  readonly ground?: string
  readonly confirm?: string
  readonly cancel?: string
  readonly complete?: string
}

const GROUNDS = ['patient-request', 'misfiled', 'legal-duty', 'consent-withdrawn'] as const

/** Requests, completes or cancels an erasure. A request needs `--confirm` with the chain's first characters. */
export async function erase(text: string, options: EraseOptions): Promise<number> {
  return withSession(options, async (session) => {
    const chain = await chainArgument(session, text)
    const { connection, institution } = session.open
    const settled = options.cancel ?? options.complete
    if (settled !== undefined) {
      const act = options.cancel === undefined ? 'complete' : 'cancel'
      const block = await settleErasure(connection, chain, Number(settled), act)
      print(options, { ok: true, act, block: block.block.height }, [
        act === 'cancel' ? 'Cancelled.' : 'Erased. Nobody can bring it back; who opened it may have copies.',
      ])
      return EXIT.ok
    }
    const confirmed = plainId(options.confirm ?? '')
    if (!chain.startsWith(confirmed) || confirmed.length < 4) {
      throw new AmpereError(
        'REQUEST_MALFORMED',
        `to erase for good, repeat the record's first characters: --confirm ${chain.slice(0, 6)}`,
      )
    }
    const ground = GROUNDS.find((known) => known === (options.ground ?? 'patient-request'))
    if (!ground) throw new AmpereError('REQUEST_MALFORMED', `--ground is one of ${GROUNDS.join(', ')}`)
    const view = await connection.read(chain)
    const wanted = plainId(options.entries ?? '')
      .split(',')
      .filter((id) => id !== '')
    const entries = view.opened
      .filter((entry) => wanted.some((id) => entry.id.startsWith(id)))
      .map(({ height, id }) => ({ height, id: id }))
    if (options.record !== true && entries.length === 0) throw new AmpereError('NOT_FOUND', 'no such entries')
    const scope = options.record === true ? ('record' as const) : ('entries' as const)
    const block = await requestErasure(
      connection,
      chain,
      { scope, entries: scope === 'record' ? [] : entries, ground },
      { instances: [institution.instance, institution.second] },
    )
    const { height } = block.block
    print(options, { ok: true, block: height, entries: entries.length }, [
      `Requested in block ${height}: it takes effect after 72 hours.`,
      `Cancel    npx ampere erase ${chain.slice(0, 6)} --cancel ${height}`,
      `Complete  npx ampere erase ${chain.slice(0, 6)} --complete ${height}    (after 72 hours)`,
    ])
    return EXIT.ok
  })
}
