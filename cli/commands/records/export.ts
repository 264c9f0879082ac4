// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs'
import type { ChainId } from '#core/bytes/ids.ts'
import type { Connection } from '#core/client/connect.ts'
import { verifyExport } from '#core/client/export/verify-export.ts'
import { makeExport, type MadeExport } from '#core/client/export/write-export.ts'
import { chainArgument, withSession, type ActingOptions } from '../../deployment/session.ts'
import type { Call } from '../../program/command.ts'
import { completeCounts, completeLines } from '../../proof/completeness.ts'
import { problemIn, problemLine, type Problem } from '../../proof/problem.ts'
import { EXIT } from '../../terminal/screen.ts'
import { counted, size } from '../../terminal/words.ts'

interface ExportOptions extends ActingOptions {
  readonly lookups?: boolean
}

/** Writes one record to a file that anyone can verify offline. An existing file is left alone. */
export async function exportChain(call: Call<ExportOptions>): Promise<number> {
  const [record = '', file = ''] = call.args
  return withSession(
    call,
    async (session) => {
      const chain = await chainArgument(session, record)
      call.screen.stopping.keeps(() => 'No file was written.')
      const progress = call.screen.progress({ doing: 'Exporting', unit: 'blocks' })
      const { connection } = session.open
      const made = await makeExport(connection, chain, { lookups: call.options.lookups !== false }).finally(
        () => progress.stop(),
      )
      const { bytes, answered } = made
      writeFileSync(file, bytes, { mode: 0o600, flag: 'wx' })
      // Whoever is given the file would find it: whoever gives it must know before.
      const { problems, receipts, blocks } = await verifiedAgain(connection, bytes, chain)
      const ok = problems.length === 0
      const { bad } = call.screen
      call.screen.print({ ok, chain, file, bytes: bytes.length, monitors: answered, receipts, problems }, [
        `Written: ${file}, ${size(bytes.length)}. Its entries stay sealed.`,
        ...monitorLines(made, connection.ports.pins.monitors !== null),
        ...problems.map((problem) => bad(problemLine(problem))),
        ...(ok
          ? []
          : ['  What the home gave does not verify: the file is evidence of that, and not the record.']),
        ...(receipts !== null && receipts < blocks
          ? [
              `  ${receipts === 0 ? 'No receipt is in it' : `It has ${receipts} of ${counted(blocks, 'receipt')}`}: the log does not bear out ${blocks - receipts} of its blocks.`,
            ]
          : []),
        `Try   npx ampere verify ${file}`,
      ])
      return ok ? EXIT.ok : EXIT.verification
    },
    'look',
  )
}

/** What the file has of monitors, and what that lets its holders see. */
function monitorLines({ answered, complete }: MadeExport, isAsked: boolean): string[] {
  if (!complete || !isAsked) return []
  if (answered.length === 0)
    return completeLines(completeCounts([complete])).map((line, i) =>
      i === 0 ? `  No answer of a monitor is in it: ${line}` : line,
    )
  return [
    `It has the answers of ${counted(answered.length, 'monitor')}: ${answered.join(', ')}.`,
    ...(complete.why === 'withheld'
      ? ['  A monitor has a later block than the home shows: the file proves that.']
      : []),
    '  Whoever has the file can see in the public log when this record grows, until it is rotated (--no-lookups leaves that out).',
  ]
}

interface Again {
  readonly problems: readonly Problem[]
  /** How many are in the file; null where that cannot be told. */
  readonly receipts: number | null
  readonly blocks: number
}

/** What whoever is given the file will find, by the pins of this folder; monitors were asked before. */
async function verifiedAgain({ ports }: Connection, bytes: Uint8Array, chain: ChainId): Promise<Again> {
  const { registry, policy } = ports.pins
  try {
    const pins = { registry, nowMs: ports.now(), ...(policy ? { policy } : {}) }
    const { problems, receipts, blocks } = await verifyExport(bytes, pins)
    return { problems: problems.map((problem) => ({ ...problem, chain })), receipts, blocks }
  } catch (error) {
    const problem = problemIn(error, chain)
    if (!problem) throw error
    return { problems: [problem], receipts: null, blocks: 0 }
  }
}
