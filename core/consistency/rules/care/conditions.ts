// SPDX-License-Identifier: Apache-2.0
import { cite } from '../../evidence.ts'
import type { Reading } from '../../facts.ts'
import { displayOf, hasStatus, isRefuted, keysOf } from '../../read/codes.ts'
import { isBefore, momentOf, type Moment } from '../../read/moment.ts'
import { breaks, check, found, HOLDS, NOTHING, notAssessed, type Hit, type Rule } from '../../rule.ts'
import { disagree } from './allergies.ts'
import { comparing, opposed, type Statement } from './statements.ts'

const TYPES = ['Condition']
const ACTIVE = ['active', 'recurrence', 'relapse'] as const
const OVER = ['inactive', 'remission', 'resolved'] as const

interface Problem {
  readonly reading: Reading
  readonly onset: Moment
}

/** An active problem that is more than one encounter's diagnosis: a diagnosis is made anew at each encounter. */
function isProblem({ item: { resource } }: Reading): boolean {
  const isDiagnosis =
    hasStatus(resource, 'category', 'encounter-diagnosis') &&
    !hasStatus(resource, 'category', 'problem-list-item')
  return !isRefuted(resource) && !isDiagnosis && hasStatus(resource, 'clinicalStatus', ...ACTIVE)
}

const twiceActive: Rule = {
  id: 'R14',
  kahn: 'plausibility',
  severity: 'info',
  review: 'proposed',
  rationale: 'The same condition is active twice in one institution with different beginnings',
  needs: 'no active problem with a code and a beginning',
  checks: [
    {
      scope: 'resource',
      types: TYPES,
      judge: (reading) => {
        if (!isProblem(reading)) return []
        if (keysOf(reading.item.resource['code']).length === 0) return [notAssessed('no code')]
        return [momentOf(reading.item.resource['onsetDateTime']) ? HOLDS : notAssessed('no date of onset')]
      },
    },
    check<Problem>({
      scope: 'group',
      types: TYPES,
      parts: (reading) => {
        const { resource, source } = reading.item
        const onset = momentOf(resource['onsetDateTime'])
        if (!onset || !isProblem(reading)) return []
        // The left knee is another problem than the right one.
        const site = JSON.stringify(resource['bodySite'] ?? null)
        return keysOf(resource['code']).map((key) => ({
          key: `${source}/${key}/${site}`,
          at: onset.from,
          value: { reading, onset },
        }))
      },
      judge: ({ members }) => {
        const [first, last] = [members[0]?.value, members.at(-1)?.value]
        if (!first || !last || !isBefore(first.onset, last.onset)) return NOTHING
        const others = members.map(({ value }) => value).filter(({ onset }) => isBefore(first.onset, onset))
        return found([activeTwice([first, ...others])])
      },
    }),
  ],
}

function activeTwice(problems: readonly Problem[]): Hit {
  const [first] = problems
  const item = first?.reading.item
  return {
    title: `${displayOf(item?.resource['code'])} is active more than once with different beginnings (${item?.source ?? ''})`,
    explanation: 'It may be one condition that was entered twice.',
    evidence: problems.flatMap(({ reading }) => [
      cite(reading.item, '/onsetDateTime'),
      cite(reading.item, '/code'),
    ]),
  }
}

const abatementBeforeOnset: Rule = {
  id: 'R64',
  kahn: 'plausibility',
  severity: 'error',
  review: 'structural',
  rationale: 'A condition ends after it began',
  needs: 'no condition with dates of onset and abatement',
  checks: [
    {
      scope: 'resource',
      types: TYPES,
      judge: ({ item }) => {
        const onset = momentOf(item.resource['onsetDateTime'])
        const abatement = momentOf(item.resource['abatementDateTime'])
        if (!onset || !abatement || isRefuted(item.resource)) return []
        if (!isBefore(abatement, onset)) return [HOLDS]
        return [
          breaks({
            title: `A condition ended on ${abatement.text}, before it began on ${onset.text} (${item.source})`,
            explanation: 'One of the dates is wrong.',
            evidence: [cite(item, '/onsetDateTime'), cite(item, '/abatementDateTime')],
          }),
        ]
      },
    },
  ],
}

const ABATEMENTS = [
  'abatementDateTime',
  'abatementAge',
  'abatementPeriod',
  'abatementRange',
  'abatementString',
]

const abatedButActive: Rule = {
  id: 'R64b',
  kahn: 'conformance',
  severity: 'error',
  review: 'structural',
  // FHIR R4, invariant con-4.
  rationale: 'A condition that has an end is still active',
  needs: 'no condition with an end and a clinical status',
  checks: [
    {
      scope: 'resource',
      types: TYPES,
      judge: ({ item }) => {
        const { resource } = item
        const end = ABATEMENTS.find((element) => resource[element] !== undefined)
        if (end === undefined || isRefuted(resource)) return []
        if (resource['clinicalStatus'] === undefined) return [notAssessed('no clinical status')]
        if (!hasStatus(resource, 'clinicalStatus', ...ACTIVE)) return [HOLDS]
        return [
          breaks({
            title: `${displayOf(resource['code'])} has an end but is ${displayOf(resource['clinicalStatus'])} (${item.source})`,
            explanation: 'The end and the clinical status do not fit each other.',
            evidence: [cite(item, '/clinicalStatus'), cite(item, `/${end}`)],
          }),
        ]
      },
    },
  ],
}

/** A confirmation counts while the condition lasts: a cold that is over does not contradict the next one's absence. */
function verified(reading: Reading): Statement | null {
  const { item } = reading
  const { resource } = item
  const at = momentOf(resource['recordedDate']) ?? momentOf(resource['onsetDateTime'])
  const base = { reading, at, name: displayOf(resource['code']), naming: [cite(item, '/code')] }
  if (isRefuted(resource)) return { ...base, state: 'refuted' }
  const isOver = hasStatus(resource, 'clinicalStatus', ...OVER)
  return hasStatus(resource, 'verificationStatus', 'confirmed')
    ? { ...base, state: isOver ? 'over' : 'confirmed' }
    : null
}

const conditionRefuted: Rule = {
  id: 'R88',
  kahn: 'plausibility',
  severity: 'error',
  review: 'structural',
  rationale: 'One institution refutes a condition that another confirms',
  needs: 'no verified conditions of two institutions',
  checks: comparing(
    TYPES,
    (reading) => {
      const statement = verified(reading)
      return statement ? { statement, keys: keysOf(reading.item.resource['code']) } : null
    },
    (latest) => {
      const opposite = opposed(latest, 'refuted', 'confirmed').filter(
        // What was ruled out before it was confirmed may have come since.
        ([refuted, confirmed]) => !(refuted.at && confirmed.at && isBefore(refuted.at, confirmed.at)),
      )
      return found(opposite.map(([refuted, confirmed]) => disagree(refuted, confirmed)))
    },
  ),
}

export const CONDITION_RULES: readonly Rule[] = [
  twiceActive,
  abatementBeforeOnset,
  abatedButActive,
  conditionRefuted,
]
