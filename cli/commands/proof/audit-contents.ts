// SPDX-License-Identifier: Apache-2.0
import { DIRECTORY } from '#core/bridge/file/group-patients.ts'
import { isAmpereError } from '#core/errors.ts'
import { shortId, type Session } from '../../deployment/session.ts'
import { problemOfKnown, type Problem } from '../../proof/problem.ts'
import { counted } from '../../terminal/words.ts'

/** What the consistency rules say of the records that an institution knows. */
export interface Contents {
  readonly institution: string
  readonly records: number
  /** Findings that stand. */
  readonly findings: number
  /** Findings that hold and are not filed yet. */
  readonly fresh: number
  /** Records that do not open, for example because they were damaged. */
  readonly failed: number
  /** Why each of those does not. */
  readonly unopened: readonly { readonly chain: string; readonly why: string }[]
}

/**
 * What is wrong with the records that the institution knows, as its own memory of them shows it: an older copy of the stores
 * agrees with itself, and only who saw a later head can tell. Opens nothing.
 */
export async function problemsOfKnown({ open }: Session): Promise<readonly Problem[]> {
  const problems: Problem[] = []
  for (const { chain } of await open.records()) {
    try {
      await open.connection.replica(chain)
    } catch (error) {
      const problem = problemOfKnown(error, chain)
      if (!problem) throw error
      problems.push(problem)
    }
  }
  return problems
}

/** Checks records as the role `checker` does, and files nothing: what is new is filed by a running server. */
export async function checkContents({ open }: Session): Promise<Contents> {
  const unopened: { chain: string; why: string }[] = []
  let [records, findings, fresh] = [0, 0, 0]
  for (const { id, chain } of await open.records()) {
    if (id !== DIRECTORY) records++
    try {
      if (id !== DIRECTORY) fresh += await open.bridge.check(id)
      findings += (await open.bridge.record(id)).projection.findings.length
    } catch (error) {
      if (!isAmpereError(error)) throw error
      unopened.push({ chain, why: error.message })
    }
  }
  return { institution: open.institution.id, records, findings, fresh, failed: unopened.length, unopened }
}

/** One line of all of them, and one for each that does not open. */
export function contentsLines(contents: Contents): readonly string[] {
  const { institution, records, findings, fresh, failed, unopened } = contents
  const closed = failed === 0 ? '' : `; ${counted(failed, 'record')} could not be opened`
  const next = findings === 0 ? '' : ': npx ampere findings'
  const isNew = fresh === 0 ? '' : `, ${fresh} not filed yet (a running server files them)`
  return [
    `Contents as ${institution} reads them: ${counted(records, 'record')}, ${counted(findings, 'finding')}${isNew}${closed}${next}`,
    ...unopened.map(({ chain, why }) => `  ${shortId(chain)} could not be opened: ${why}`),
    ...(failed > 0 ? ['  Next: npx ampere verify --all'] : []),
  ]
}
