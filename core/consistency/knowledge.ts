// SPDX-License-Identifier: Apache-2.0
import { AmpereError } from '../errors.ts'
import { unitOf, type Unit } from './read/units.ts'

/** Limits of one analyte: `hard` is not credible beyond, `soft` unusual. Proposed, adults. */
interface AnalyteRow {
  readonly loinc: string
  readonly name: string
  readonly ucum: string
  readonly hard: readonly [number, number] | null
  readonly soft: readonly [number, number] | null
  readonly mgPerMmol: number | null
  /** Other UCUM units in which it is measured, and with which its own is mistaken. */
  readonly also: readonly string[]
  /** True for HbA1c, whose mmol/mol are no plain fraction of the percentage. */
  readonly ifcc: boolean
}

export interface Analyte extends AnalyteRow {
  readonly unit: Unit
}

/** The tables of terminology/knowledge.json. */
export interface KnowledgeTables {
  readonly version: string
  readonly analytes: readonly AnalyteRow[]
  readonly bloodGroups: readonly { readonly loinc: string; readonly states: string }[]
  readonly vaccines: readonly { readonly cvx: string; readonly minDays: number | null }[]
  readonly drugs: readonly {
    readonly code: string
    readonly ingredients: readonly string[]
    readonly classes: readonly string[]
    readonly complete: boolean
  }[]
  readonly ingredients: readonly { readonly class: string; readonly code: string; readonly name: string }[]
  readonly allergens: readonly {
    readonly system: string
    readonly code: string
    readonly classes: readonly string[]
    readonly ingredient: string | null
  }[]
  readonly noKnown: readonly { readonly system: string; readonly code: string; readonly scope: string }[]
}

export interface Drug {
  readonly ingredients: readonly string[]
  readonly classes: readonly string[]
  /** False where the table does not know every ingredient: absence from it then proves nothing. */
  readonly complete: boolean
}

/** What an allergy's code stands for: one substance, or a whole class. */
export interface Allergen {
  readonly ingredients: readonly string[]
  readonly classes: readonly string[]
}

/** The tables, ready for look-up. */
export interface Knowledge {
  readonly version: string
  /** By LOINC code. */
  readonly analytes: ReadonlyMap<string, Analyte>
  /** By LOINC code: `abo`, `rh` or `abo+rh`. */
  readonly bloodGroups: ReadonlyMap<string, string>
  /** Days below which no series allows a second dose, by CVX code; null where none is stated. */
  readonly vaccines: ReadonlyMap<string, number | null>
  /** By RxNorm code, of clinical drugs and of ingredients. */
  readonly drugs: ReadonlyMap<string, Drug>
  /** Classes that medicines belong to. */
  readonly drugClasses: ReadonlySet<string>
  /** By `system|code`. */
  readonly allergens: ReadonlyMap<string, Allergen>
  readonly noKnown: ReadonlyMap<string, string>
}

/** Indexes the tables. @throws AmpereError CONFIGURATION when an analyte's unit is not understood */
export function createKnowledge(tables: KnowledgeTables): Knowledge {
  return {
    version: tables.version,
    analytes: new Map(tables.analytes.map((row) => [row.loinc, { ...row, unit: requireUnit(row.ucum) }])),
    bloodGroups: new Map(tables.bloodGroups.map(({ loinc, states }) => [loinc, states])),
    vaccines: new Map(tables.vaccines.map(({ cvx, minDays }) => [cvx, minDays])),
    drugs: drugsOf(tables),
    drugClasses: new Set(tables.ingredients.map((row) => row.class).filter((name) => name !== 'latex')),
    allergens: new Map(
      tables.allergens.map(({ system, code, classes, ingredient }) => [
        `${system}|${code}`,
        { ingredients: ingredient === null ? [] : [ingredient], classes },
      ]),
    ),
    noKnown: new Map(tables.noKnown.map(({ system, code, scope }) => [`${system}|${code}`, scope])),
  }
}

function drugsOf(tables: KnowledgeTables): Map<string, Drug> {
  const drugs = new Map<string, Drug>()
  for (const { code, ingredients, classes, complete } of tables.drugs)
    drugs.set(code, { ingredients, classes, complete })
  for (const { code, name, class: drugClass } of tables.ingredients) {
    const known = drugs.get(code)
    drugs.set(code, {
      ingredients: known?.ingredients ?? [name],
      classes: [...new Set([...(known?.classes ?? []), drugClass])],
      complete: known?.complete ?? true,
    })
  }
  return drugs
}

function requireUnit(ucum: string): Unit {
  const unit = unitOf(ucum)
  if (!unit) throw new AmpereError('CONFIGURATION', 'the knowledge tables hold a unit that is not understood')
  return unit
}
