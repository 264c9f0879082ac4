// SPDX-License-Identifier: Apache-2.0
import type { ChainId } from '#core/bytes/ids.ts'
import { chainDue } from '#core/client/acts/rotation/chain-due.ts'
import { shortId, withSession, type ActingOptions, type Session } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { problemOfKnown, problemLine, type Problem } from '../../proof/problem.ts'
import { EXIT } from '../../terminal/screen.ts'
import { columns, counted } from '../../terminal/words.ts'

interface ListedRecord {
  readonly chain: ChainId
  readonly blocks: number
  readonly epoch: number
  readonly grants: readonly {
    readonly institution: string
    readonly rights: readonly string[]
    readonly until: string | null
  }[]
  readonly hold: boolean
  readonly erasuresPending: number
  readonly rotationDue: readonly { readonly institution: string; readonly reason: string }[]
}

/** Lists the records that this institution knows. One that does not verify does not hide the others. */
export async function listRecords(call: Call<ActingOptions>): Promise<number> {
  return withSession(
    call,
    async (session) => {
      const items: ListedRecord[] = []
      const problems: Problem[] = []
      for (const { chain } of await session.open.records()) {
        try {
          items.push(await listed(session, chain))
        } catch (error) {
          const problem = problemOfKnown(error, chain)
          if (!problem) throw error
          problems.push(problem)
        }
      }
      const rows = items.map((item) => [
        shortId(item.chain),
        counted(item.blocks, 'block'),
        `epoch ${item.epoch}`,
        item.grants.map(({ institution }) => institution).join(' '),
        remarks(item),
      ])
      call.screen.print({ ok: problems.length === 0, items, problems }, [
        ...columns(rows, ''),
        ...problems.map((problem) => `${shortId(problem.chain)}  ${call.screen.bad(problemLine(problem))}`),
        ...(items.length + problems.length === 0
          ? [`${session.open.institution.id} knows no record yet. Next: npx ampere import FILE`]
          : []),
      ])
      return problems.length === 0 ? EXIT.ok : EXIT.verification
    },
    'look',
  )
}

async function listed({ open }: Session, chain: ChainId): Promise<ListedRecord> {
  const replica = await open.connection.replica(chain)
  const { link, notes } = replica
  const { state } = link
  return {
    chain,
    blocks: notes.length,
    epoch: state.epoch.number,
    grants: state.grants.map(({ institution, rights, until }) => ({ institution, rights, until })),
    hold: state.hold,
    erasuresPending: state.pending.length,
    rotationDue: chainDue(open.connection, replica).due,
  }
}

function remarks(item: ListedRecord): string {
  return [
    ...(item.hold ? ['on hold'] : []),
    ...(item.erasuresPending > 0 ? [counted(item.erasuresPending, 'erasure') + ' pending'] : []),
    ...item.rotationDue.map(({ institution, reason }) => `rotation due: ${institution} ${reason}`),
  ].join(', ')
}
