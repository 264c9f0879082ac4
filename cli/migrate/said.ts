// SPDX-License-Identifier: Apache-2.0
import { EXIT, type Screen } from '../terminal/screen.ts'
import { counted, size } from '../terminal/words.ts'
import type { Moved } from './move-records.ts'
import type { MigrationPlan } from './plan.ts'
import type { Waiting } from './ready.ts'
import type { Received } from './receive.ts'
import type { MoveTarget } from './target/target.ts'

/** Says that nothing was changed, and who must approve. */
export function saidWaiting(screen: Screen, waiting: readonly Waiting[]): number {
  screen.print({ ok: false, waiting }, [
    `Nothing was changed: ${counted(waiting.length, 'chain')} would stay at a home that no longer has the registry. Controllers must approve whose keys are not here:`,
    ...waiting.map(
      ({ chain, threshold, missing }) =>
        `  ${chain}  ${threshold} must approve; not here: ${missing.join(', ')}`,
    ),
    'They change who controls these chains, so that keys that are here suffice, or bring theirs; then the same command again.',
  ])
  return EXIT.failed
}

/** Says what came of a move that is done. */
export function saidMoved(
  screen: Screen,
  { folder, next }: Pick<MoveTarget, 'folder' | 'next'>,
  { deployment, origin, from }: MigrationPlan,
  { report, compared, moved: { moved, ended } }: Received & { readonly moved: Moved },
): number {
  const { chains, blocks, parts, bytes } = compared
  const { receipts, unlogged } = report
  screen.print({ ok: true, folder, deployment, origin, moved, ended, receipts, unlogged, compared }, [
    `Compared byte by byte: ${counted(chains, 'chain')}, ${counted(blocks, 'block')}, ${counted(parts, 'stored part')} (${size(bytes)}); nothing differs but what erasures destroyed.`,
    `Moved, with the registry: ${counted(moved.length, 'chain')} to ${origin}. Of blocks from before it has ${counted(receipts, 'receipt')} of the log of ${from.origin}.`,
    ...(ended.length === 0
      ? []
      : [`Erased as a whole, and so moved by nobody: ${counted(ended.length, 'chain')}.`]),
    `Keep what is left of the old home, or a backup of it: it has the log of ${from.origin}. Nothing starts there any more. Where what moved is erased later, it is to be erased there too.`,
    'Witnesses, monitors and mirrors are to be told of the new log: npx ampere witness list, then docs/OPERATIONS.md, "Move a home".',
    `Next  ${next}`,
  ])
  return EXIT.ok
}
