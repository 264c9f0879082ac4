// SPDX-License-Identifier: Apache-2.0

/** Limits of one analyte: `hard` is not credible beyond, `soft` unusual. Proposed, adults. */
export interface Analyte {
  readonly loinc: string
  readonly name: string
  readonly ucum: string
  readonly hard: readonly [number, number] | null
  readonly soft: readonly [number, number] | null
  readonly mgPerMmol: number | null
}

/** The tables of terminology/knowledge.json. */
export interface KnowledgeTables {
  readonly version: string
  readonly analytes: readonly Analyte[]
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

/** The tables, ready for look-up. */
export interface Knowledge {
  readonly version: string
  readonly analytes: ReadonlyMap<string, Analyte>
  /** By RxNorm code, of clinical drugs and of ingredients. */
  readonly drugs: ReadonlyMap<
    string,
    { readonly ingredients: readonly string[]; readonly classes: readonly string[] }
  >
  /** By `system|code`. */
  readonly allergens: ReadonlyMap<string, readonly string[]>
  readonly noKnown: ReadonlyMap<string, string>
}

/** Indexes the tables. */
export function createKnowledge(tables: KnowledgeTables): Knowledge {
  const drugs = new Map<string, { ingredients: readonly string[]; classes: readonly string[] }>()
  for (const { code, ingredients, classes } of tables.drugs) drugs.set(code, { ingredients, classes })
  for (const { code, name, class: drugClass } of tables.ingredients) {
    const known = drugs.get(code)
    drugs.set(code, {
      ingredients: known?.ingredients ?? [name],
      classes: [...(known?.classes ?? []), drugClass],
    })
  }
  return {
    version: tables.version,
    analytes: new Map(tables.analytes.map((analyte) => [analyte.loinc, analyte])),
    drugs,
    allergens: new Map(tables.allergens.map(({ system, code, classes }) => [`${system}|${code}`, classes])),
    noKnown: new Map(tables.noKnown.map(({ system, code, scope }) => [`${system}|${code}`, scope])),
  }
}
