// SPDX-License-Identifier: Apache-2.0
import { parseHead, type HeadStatement } from '../../api/head.ts'
import { isAmpereError } from '../../errors.ts'
import type { SeenHead } from '../client.ts'
import type { Replica } from '../read/replica.ts'

/** Statements of lower heads that are kept, of blocks with entries and of blocks that change a chain, each. */
const KEPT_OF_EACH = 2

/** A head statement with what it says. */
export interface KeptStatement {
  readonly statement: string
  readonly head: HeadStatement
}

/** The statements of a head that was seen and of those below it that were kept, in order of height. */
export function statementsOf({ earlier = [], statement }: SeenHead): readonly KeptStatement[] {
  return readStatements([...earlier, statement ?? null])
}

/**
 * What to keep of the statements of lower heads, now that a newer one is seen: each promises that its own block is logged,
 * and the newest one says nothing of those below it. Of blocks that change who may do what as many are kept as of others,
 * of which there are more.
 * @param stated statements that came with blocks of our own, in order
 */
export function earlierStatements(
  seen: SeenHead | null,
  stated: readonly string[],
  { chain, head: newest, notes }: Replica,
): readonly string[] {
  const byHeight = new Map<number, KeptStatement>()
  for (const kept of [...(seen ? statementsOf(seen) : []), ...readStatements(stated)]) {
    const { height, block, chain: of } = kept.head
    const isOurs = of === chain && height < newest.height && notes[height]?.id === block
    // The first one that was made of a block is the first that falls due.
    if (isOurs && !byHeight.has(height)) byHeight.set(height, kept)
  }
  const kept = [...byHeight.values()].toSorted((a, b) => a.head.height - b.head.height)
  const changes = kept.filter(({ head }) => notes[head.height]?.entries === null).slice(-KEPT_OF_EACH)
  const others = kept.filter(({ head }) => notes[head.height]?.entries !== null).slice(-KEPT_OF_EACH)
  return kept
    .filter((item) => changes.includes(item) || others.includes(item))
    .map(({ statement }) => statement)
}

/** Without what is no head statement: a home may answer anything. */
export function readStatements(statements: readonly (string | null)[]): readonly KeptStatement[] {
  return statements.flatMap((statement) => (statement === null ? [] : readStatement(statement)))
}

function readStatement(statement: string): KeptStatement[] {
  try {
    return [{ statement, head: parseHead(statement).head }]
  } catch (error) {
    if (isAmpereError(error)) return []
    throw error
  }
}
