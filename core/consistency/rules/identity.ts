// SPDX-License-Identifier: Apache-2.0
import { groupBy, type Facts, type RecordItem } from '../facts.ts'
import { cite, over, type Hit, type Rule } from '../rule.ts'

/** Pairs of items of different institutions, each pair once. */
export function acrossSources(items: readonly RecordItem[]): (readonly [RecordItem, RecordItem])[] {
  return items.flatMap((a, i) =>
    items.slice(i + 1).flatMap((b) => (a.source === b.source ? [] : [[a, b] as const])),
  )
}

function demographics(id: string, element: 'birthDate' | 'gender', words: string): Rule {
  return {
    id,
    kahn: 'plausibility',
    severity: 'warn',
    review: 'structural',
    rationale: `Institutions give different ${words}`,
    apply: (facts: Facts) =>
      over(
        acrossSources(facts.byType.get('Patient') ?? []),
        'fewer than two institutions describe the patient',
        ([a, b]): Hit | null => {
          const [left, right] = [a.resource[element], b.resource[element]]
          if (typeof left !== 'string' || typeof right !== 'string' || left === right) return null
          return {
            title: `Different ${words}: ${left} (${a.source}), ${right} (${b.source})`,
            explanation: `${a.source} and ${b.source} do not agree on who this is. One of them may have filed under the wrong patient.`,
            evidence: [cite(a, `/${element}`, left), cite(b, `/${element}`, right)],
          }
        },
      ),
  }
}

const bloodGroup: Rule = {
  id: 'R04',
  kahn: 'plausibility',
  severity: 'safety',
  review: 'structural',
  rationale: 'A blood group does not change',
  apply: (facts) => {
    const typed = facts.items.filter(
      ({ resource }) =>
        JSON.stringify(resource['code'] ?? '').match(/"(882-1|883-9|10331-7)"/) !== null &&
        resource['valueCodeableConcept'] !== undefined,
    )
    const groups = [...groupBy(typed, (item) => loincOf(item)).values()]
    return over(groups.flatMap(pairs), 'fewer than two blood group results', ([a, b]) => {
      const [left, right] = [valueText(a), valueText(b)]
      if (left === right) return null
      return {
        title: `Different blood groups: ${left} (${a.source}), ${right} (${b.source})`,
        explanation: 'One of the samples may be of another person.',
        evidence: [cite(a, '/valueCodeableConcept', left), cite(b, '/valueCodeableConcept', right)],
      }
    })
  },
}

function loincOf(item: RecordItem): string {
  return /"(882-1|883-9|10331-7)"/.exec(JSON.stringify(item.resource['code']))?.[1] ?? ''
}

function valueText(item: RecordItem): string {
  const { coding, text } = item.resource['valueCodeableConcept'] as {
    coding?: { code?: string; display?: string }[]
    text?: string
  }
  return coding?.[0]?.display ?? coding?.[0]?.code ?? text ?? ''
}

/** All pairs of a list. */
export function pairs<T>(items: readonly T[]): (readonly [T, T])[] {
  return items.flatMap((a, i) => items.slice(i + 1).map((b) => [a, b] as const))
}

export const IDENTITY_RULES: readonly Rule[] = [
  demographics('R03a', 'birthDate', 'birth dates'),
  demographics('R03b', 'gender', 'administrative genders'),
  bloodGroup,
]
