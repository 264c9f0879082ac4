// SPDX-License-Identifier: Apache-2.0
// npm run docs: writes docs/api/openapi.json and docs/PERMISSIONS.md. With --record the examples are recorded anew from a home in memory.
import { writeFileSync } from 'node:fs'
import { homeDocument } from '#functions/roles.ts'
import { permissionsDocument } from '#infra/permissions/document.ts'
import { recordExamples } from './record-examples.ts'

const root = new URL('../../', import.meta.url)
const write = (path: string, value: unknown) =>
  writeFileSync(new URL(path, root), `${JSON.stringify(value, null, 2)}\n`)

if (process.argv.includes('--record')) {
  write('functions/host/examples.json', await recordExamples())
  process.stdout.write('functions/host/examples.json: recorded. Run npm run docs again.\n')
} else {
  write('docs/api/openapi.json', homeDocument())
  writeFileSync(new URL('docs/PERMISSIONS.md', root), permissionsDocument())
  process.stdout.write('docs/api/openapi.json, docs/PERMISSIONS.md: written\n')
}
