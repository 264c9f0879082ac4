// SPDX-License-Identifier: Apache-2.0
import { completeJson } from '#core/client/complete/completeness-json.ts'
import type { ChainId } from '#core/bytes/ids.ts'
import type { NewKeysDue } from '#core/chain/rotation.ts'
import { chainDue } from '#core/client/acts/rotation/chain-due.ts'
import {
  chainArgument,
  shortId,
  withSession,
  type ActingOptions,
  type Session,
} from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { usage } from '../../program/refuse.ts'
import { statusWord } from '../../proof/block-status.ts'
import { recordPhrase, type Unknown } from '../../proof/completeness.ts'
import { compareParts, type Compared } from '../../proof/compare.ts'
import { mirrorLines } from '../../proof/mirrored.ts'
import { problemLine } from '../../proof/problem.ts'
import { readShownChain, type ShownBlock, type ShownChain } from '../../proof/shown-chain.ts'
import { EXIT, type Screen } from '../../terminal/screen.ts'
import { columns, counted, localTime } from '../../terminal/words.ts'

interface ShowOptions extends ActingOptions {
  readonly block?: number
}

/** Shows a record's blocks: type, time, author and status, never contents. */
export async function showRecord(call: Call<ShowOptions>): Promise<number> {
  const [record = ''] = call.args
  const { block: height } = call.options
  return withSession(
    call,
    async (session) => {
      const chain = await chainArgument(session, record)
      const shown = await readShownChain(session.open.connection, chain)
      const isBad = shown.problem !== null || shown.blocks.some(({ status }) => statusWord(status).isBad)
      if (height === undefined)
        printChain(call.screen, session, chain, shown, {
          ok: !isBad,
          due: await dueOf(session, chain, shown),
        })
      else await printBlock(call.screen, session, chain, shown, height, !isBad)
      return isBad ? EXIT.verification : EXIT.ok
    },
    'look',
  )
}

/** Of a chain that does not verify nobody can say what is due. */
async function dueOf(
  { open: { connection } }: Session,
  chain: ChainId,
  { view }: ShownChain,
): Promise<readonly NewKeysDue[]> {
  return view === null ? [] : chainDue(connection, await connection.replica(chain)).due
}

function printChain(
  screen: Screen,
  { open }: Session,
  chain: ChainId,
  shown: ShownChain,
  { ok, due }: { readonly ok: boolean; readonly due: readonly NewKeysDue[] },
): void {
  const { blocks, problem, complete, mirrors } = shown
  const need = open.connection.ports.pins.monitors?.need ?? 0
  const rows = blocks.map((block) => [
    String(block.height).padStart(4),
    block.type,
    block.time === '' ? '' : localTime(block.time),
    block.author,
    statusText(block),
    block.does,
  ])
  const bad = blocks.find(({ status }) => statusWord(status).isBad)
  const said = { items: blocks, complete: complete && completeJson(complete), mirrors, rotationDue: due }
  screen.print({ ok, chain, ...said, problem }, [
    ...columns(rows, ''),
    ...(complete ? recordPhrase(complete, need, UNKNOWN) : []),
    ...mirrorLines(mirrors, blocks.length - 1),
    ...due.map(
      ({ institution, reason }) => `  rotation due: ${institution} ${reason}. Next: npx ampere rotation run`,
    ),
    ...(problem ? [screen.bad(problemLine(problem))] : []),
    ...(bad ? [`  Next: npx ampere chain show ${shortId(chain)} --block ${bad.height}`] : []),
  ])
}

const UNKNOWN: Unknown = {
  'no-monitor': 'no monitor is asked (monitors.json)',
  'no-quorum': 'no witnesses are asked (npx ampere witness add)',
  'no-lookup': 'no monitor was asked',
  'no-label-key': 'this institution was not given the key that names the next block',
  'head-not-witnessed': 'witnesses have not seen the newest block yet',
  growing: 'it grew while it was asked about; try again',
}

/** `promised`, or what is not: `erased 1 of 29`. */
function statusText({ status, entries }: ShownBlock): string {
  const total = Object.values(entries).reduce((sum, value) => sum + value, 0)
  const own = entries[status] ?? 0
  return own === 0 || own === total ? status : `${status} ${own} of ${total}`
}

async function printBlock(
  screen: Screen,
  session: Session,
  chain: ChainId,
  shown: ShownChain,
  height: number,
  ok: boolean,
): Promise<void> {
  const block = shown.blocks[height]
  if (!block) throw usage(`the record has blocks 0 to ${shown.blocks.length - 1}`)
  const compared = shown.view ? await compareParts(session.open.connection, chain, height) : []
  const entries = entriesOf(shown, height)
  const problem = shown.problem?.height === height ? shown.problem : null
  screen.print({ ok, chain, block, entries, compared, problem }, [
    `Block ${height}: ${block.type}, ${block.does}`,
    ...columns([
      ['status', `${statusText(block)}: ${statusWord(block.status).means}`],
      ...(block.rule === '' ? [] : [['rule', block.rule]]),
      ['id', block.id],
      ['time', block.time],
      ['author', block.author],
    ]),
    ...(problem ? [screen.bad(problemLine(problem))] : []),
    ...compared.map(comparedLine),
    ...(entries.length === 0 ? [] : [`  ${counted(entries.length, 'entry', 'entries')}:`]),
    ...columns(
      entries.map(({ id, status, compartment }) => [id, status, compartment]),
      '    ',
    ),
    ...(statusWord(block.status).isBad || problem
      ? ['  Next: keep an export; npx ampere audit; docs/OPERATIONS.md, "When stores are damaged"']
      : []),
  ])
}

function entriesOf({ view, blocks }: ShownChain, height: number) {
  const logged = blocks[height]?.logged ?? 'promised'
  const opened = (view?.opened ?? []).map((entry) => ({
    height: entry.height,
    id: entry.id as string,
    status: logged as string,
    compartment: entry.compartmentName,
  }))
  const closed = (view?.closed ?? []).map((entry) => ({
    height: entry.height,
    id: entry.id as string,
    status: entry.status as string,
    compartment: '',
  }))
  return [...opened, ...closed]
    .filter((entry) => entry.height === height)
    .map(({ id, status, compartment }) => ({ id, status, compartment }))
}

function comparedLine({ what, signed, stored }: Compared): string {
  if (signed === stored) return `  ${what}: as it was signed`
  return `  ${what} differs: signed ${signed}, stored ${stored ?? 'nothing that can be read'}`
}
