// SPDX-License-Identifier: Apache-2.0
import type { Reading } from '../facts.ts'
import type { Allergen, Knowledge } from '../knowledge.ts'
import { codingsOf, displayOf, hasStatus, isRefuted, keysOf, RXNORM } from './codes.ts'

/** An AllergyIntolerance: an allergy, or the statement that there is none. */
export interface Allergy {
  readonly reading: Reading
  readonly name: string
  /** What its code stands for; null when no code is known here. */
  readonly allergen: Allergen | null
  /** Scope of a statement of absence, such as `allergy:any`; null for an allergy. */
  readonly absence: string | null
  /** True when it is active and not refuted. */
  readonly isCurrent: boolean
  /** True when it is called an intolerance: a reaction of the one substance, not of its class. */
  readonly isIntolerance: boolean
}

/** Reads an AllergyIntolerance. */
export function allergyOf(reading: Reading, knowledge: Knowledge): Allergy {
  const { resource } = reading.item
  const { code } = resource
  const isStated = codingsOf(resource['clinicalStatus']).length > 0
  return {
    reading,
    name: displayOf(code),
    allergen: allergenOf(code, knowledge),
    absence:
      keysOf(code)
        .map((key) => knowledge.noKnown.get(key))
        .find((scope) => scope !== undefined) ?? null,
    isCurrent: !isRefuted(resource) && (!isStated || hasStatus(resource, 'clinicalStatus', 'active')),
    isIntolerance: resource['type'] === 'intolerance',
  }
}

function allergenOf(code: unknown, knowledge: Knowledge): Allergen | null {
  const found = codingsOf(code).flatMap(({ system, code: value }) => {
    const drug = system === RXNORM ? knowledge.drugs.get(value) : undefined
    const allergen = knowledge.allergens.get(`${system}|${value}`)
    const known = [
      allergen,
      drug && { ingredients: drug.complete ? drug.ingredients : [], classes: drug.classes },
    ]
    return known.filter((one) => one !== undefined)
  })
  if (found.length === 0) return null
  return {
    ingredients: [...new Set(found.flatMap(({ ingredients }) => ingredients))],
    classes: [...new Set(found.flatMap(({ classes }) => classes))],
  }
}

/** Classes of allergens, by the scope of a statement of absence that covers them. */
const SCOPES: Readonly<Record<string, string>> = {
  milk: 'food',
  egg: 'food',
  peanut: 'food',
  'tree-nut': 'food',
  fish: 'food',
  shellfish: 'food',
  soy: 'food',
  sesame: 'food',
  'wheat-gluten': 'food',
  'pollen-grass-tree': 'environment',
  'animal-dander': 'environment',
  'dust-mite': 'environment',
  mold: 'environment',
  latex: 'latex',
}

/** The scopes that an allergy falls under, besides `any`: by its category and by what its code stands for. */
export function scopesOf({ reading, allergen }: Allergy, knowledge: Knowledge): ReadonlySet<string> {
  const { category } = reading.item.resource
  const stated = (Array.isArray(category) ? category : []).filter((one) => typeof one === 'string')
  const classes = allergen?.classes ?? []
  const byClass = classes.flatMap(
    (name) => SCOPES[name] ?? (knowledge.drugClasses.has(name) ? 'medication' : []),
  )
  return new Set([...stated, ...byClass])
}
