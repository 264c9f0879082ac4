// SPDX-License-Identifier: Apache-2.0
import { cite } from '../../evidence.ts'
import type { Reading } from '../../facts.ts'
import { codingsOf, CVX } from '../../read/codes.ts'
import { dayOf, daysBetween } from '../../read/moment.ts'
import { breaks, check, HOLDS, notAssessed, type Group, type Outcome, type Rule } from '../../rule.ts'

interface Dose {
  readonly reading: Reading
  readonly cvx: string
  readonly day: string
  /** Days below which no series allows a second dose; null where none is stated, and only the same day tells. */
  readonly minDays: number | null
}

/** The CVX code of a dose that was given in full; null for any other. */
function cvxOf({ item: { resource } }: Reading): string | null {
  if (resource['status'] !== 'completed' || resource['isSubpotent'] === true) return null
  return codingsOf(resource['vaccineCode']).find(({ system }) => system === CVX)?.code ?? null
}

function judge({ members }: Group<Dose>, index: number): Outcome {
  const given = members[index]?.value
  const before = members[index - 1]?.value
  if (!given || !before) return HOLDS
  const days = daysBetween(before.day, given.day)
  if (days > 0 && (given.minDays === null || days >= given.minDays)) return HOLDS
  const least =
    given.minDays === null
      ? 'It is probably one dose'
      : `No series allows less than ${given.minDays} days. It is probably one dose`
  return breaks({
    title: `Vaccine ${given.cvx} is recorded twice within ${days} days`,
    explanation: `${least}, recorded twice.`,
    evidence: [before, given].map(({ reading }) =>
      cite(reading.item, reading.event?.pointer ?? '/occurrenceDateTime'),
    ),
  })
}

const immunizationTwice: Rule = {
  id: 'R15',
  kahn: 'plausibility',
  severity: 'warn',
  review: 'proposed',
  rationale: 'The same vaccine was given again sooner than any series allows',
  needs: 'no vaccine that was given, with its CVX code and day',
  checks: [
    {
      scope: 'resource',
      types: ['Immunization'],
      judge: (reading) => {
        if (reading.item.resource['status'] !== 'completed') return []
        if (reading.item.resource['isSubpotent'] === true)
          return [notAssessed('a dose that counts for less than one')]
        if (cvxOf(reading) === null) return [notAssessed('no CVX code')]
        return reading.event && dayOf(reading.event.at) !== null
          ? []
          : [notAssessed('no day on which it was given')]
      },
    },
    check<Dose>({
      scope: 'member',
      reach: 1,
      anchors: 'presence',
      types: ['Immunization'],
      parts: (reading, { knowledge }) => {
        const cvx = cvxOf(reading)
        const day = reading.event ? dayOf(reading.event.at) : null
        if (cvx === null || day === null) return []
        const minDays = knowledge.vaccines.get(cvx) ?? null
        return [{ key: cvx, at: Date.parse(day), value: { reading, cvx, day, minDays } }]
      },
      judge,
    }),
  ],
}

export const DOSE_RULES: readonly Rule[] = [immunizationTwice]
