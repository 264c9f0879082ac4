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
  version: 'knowledge-2026-11',
  analytes: read('analytes.csv')
    .filter((row) => row.limit_ucum)
    .map((row) => ({
      loinc: row.loinc,
      name: row.analyte || row.name,
      ucum: row.limit_ucum,
      hard: range(row.limit_hard),
      soft: range(row.limit_soft),
      mgPerMmol: row.mg_dl_per_mmol_l ? Number(row.mg_dl_per_mmol_l) : null,
    })),
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
      ingredient: row.rxnorm_ingredient || null,
    })),
  noKnown: read('no-known-and-refuted.csv')
    .filter((row) => mayShip(row) && row.meaning === 'none-known')
    .map((row) => ({ system: row.system, code: row.code, scope: row.scope })),
}

for (const [name, content] of Object.entries({ sensitivity, knowledge })) {
  writeFileSync(new URL(`./${name}.json`, import.meta.url), `${JSON.stringify(content)}\n`)
}
