// Makes the slim tables of this folder from the sourced CSV tables: node terminology/build.mjs CSV_FOLDER
// Left out: rows whose only source states no licence, and SNOMED CT rows outside the IPS free set.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'

const folder = process.argv[2]
if (!folder) {
  process.stderr.write('usage: node terminology/build.mjs CSV_FOLDER\n')
  process.exit(2)
}
const SNOMED = 'http://snomed.info/sct'
const UNLICENSED = new Set(['rxclass', 'text-index'])
const FREE_SNOMED = new Set(['ips-free', 'ips-cc0', 'hl7-fhir'])
const read = (name) => parse(readFileSync(join(folder, name)), { columns: true })
// LOINC codes that the rules need and the sourced tables lack; each row says where it was seen.
const added = parse(readFileSync(new URL('./added.csv', import.meta.url)), { columns: true })
const list = (text) => (text ? text.split(';') : [])

function mayShip(row) {
  const sources = list(row.sources || row.name_sources)
  if (sources.length > 0 && sources.every((source) => UNLICENSED.has(source))) return false
  return row.system !== SNOMED || sources.some((source) => FREE_SNOMED.has(source))
}

const range = (text) => {
  const match = /^(-?[\d.]+)-([\d.]+)$/.exec(text)
  return match ? [Number(match[1]), Number(match[2])] : null
}

/** UCUM units in which an analyte is also measured, as its row's conversion factors name them. */
const ALSO = [
  [/^x38|^mmol/, 'mmol/L'],
  [/^umol/, 'umol/L'],
  [/^lb/, '[lb_av]'],
  [/^in /, '[in_i]'],
  [/m x100/, 'm'],
  [/^kPa/, 'kPa'],
  [/^\(F/, '[degF]'],
  [/^fraction/, '1'],
  [/^g\/L/, 'g/L'],
  [/^\/uL/, '/uL'],
]
const unitsToTry = (text) => ALSO.filter(([form]) => form.test(text)).map(([, ucum]) => ucum)

/** Ingredient names by RxNorm code. */
const names = new Map(
  read('drug-classes.csv')
    .filter(mayShip)
    .map((row) => [row.rxcui, row.ingredient]),
)
for (const row of read('clinical-drugs.csv').filter(mayShip)) {
  for (const [i, code] of list(row.ingredient_rxcuis).entries()) names.set(code, list(row.ingredients)[i])
}

/** Days below which CDSi allows no second dose in any series; null where it names no such interval. */
function intervalOf(row) {
  const stated = [row.abs_min_interval_days_standard, row.min_interval_days_any_series].map(Number)
  return row.abs_min_interval_days_standard && Math.min(...stated) > 0 ? Math.min(...stated) : null
}

const sensitivity = {
  version: 'sensitivity-2026-11',
  codes: read('sensitivity.csv')
    .filter((row) => mayShip(row) && row.strength === 'direct')
    .map((row) => [row.system, row.code, row.match, list(row.compartments)]),
  labels: read('sensitivity-labels.csv')
    .filter((row) => row.compartment)
    .map((row) => [row.system, row.code, row.compartment]),
}

const knowledge = {
  version: 'knowledge-2026-11b',
  analytes: read('analytes.csv')
    .filter((row) => row.limit_ucum)
    .map((row) => ({
      loinc: row.loinc,
      name: row.analyte || row.name,
      ucum: row.limit_ucum,
      hard: range(row.limit_hard),
      soft: range(row.limit_soft),
      mgPerMmol: row.mg_dl_per_mmol_l ? Number(row.mg_dl_per_mmol_l) : null,
      also: unitsToTry(row.conversion_factors_to_try),
      ifcc: row.conversion_factors_to_try === 'IFCC formula',
    }))
    .concat(
      added
        .filter((row) => row.use === 'analyte')
        .map(({ loinc, analyte, ucum, mg_dl_per_mmol_l: factor }) => {
          const limits = { hard: null, soft: null, mgPerMmol: Number(factor), also: [], ifcc: false }
          return { loinc, name: analyte, ucum, ...limits }
        }),
    ),
  bloodGroups: added.filter((row) => row.use !== 'analyte').map(({ loinc, use }) => ({ loinc, states: use })),
  vaccines: read('vaccines.csv').map((row) => ({ cvx: row.cvx, minDays: intervalOf(row) })),
  drugs: read('clinical-drugs.csv')
    .filter(mayShip)
    .map((row) => ({
      code: row.rxcui,
      ingredients: list(row.ingredients),
      classes: list(row.classes),
      complete: row.all_ingredients_resolved === 'yes',
    })),
  ingredients: read('drug-classes.csv')
    .filter(mayShip)
    .map((row) => ({ class: row.class, code: row.rxcui, name: row.ingredient })),
  allergens: read('allergen-codes.csv')
    .filter((row) => mayShip(row) && (row.classes || row.rxnorm_ingredient))
    .map((row) => ({
      system: row.system,
      code: row.code,
      classes: list(row.classes),
      ingredient: names.get(row.rxnorm_ingredient) ?? null,
    })),
  noKnown: read('no-known-and-refuted.csv')
    .filter((row) => mayShip(row) && row.meaning === 'none-known')
    .map((row) => ({ system: row.system, code: row.code, scope: row.scope })),
}

for (const [name, content] of Object.entries({ sensitivity, knowledge })) {
  writeFileSync(new URL(`./${name}.json`, import.meta.url), `${JSON.stringify(content)}\n`)
}
