// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PARAMETERS, type Parameters } from '#infra/aws/settings.ts'
import { storesTemplateOf } from '#infra/aws/template.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url))
const REQUIREMENTS = fileURLToPath(new URL('requirements.txt', import.meta.url))
const BUILT = join(ROOT, 'node_modules/.cache/cfn-lint')
const STAMP = join(BUILT, 'made-of.txt')
/** A port on which nothing listens: whatever osls might ask on the network fails at once. */
const NOWHERE = 'http://127.0.0.1:9'

export interface Packaged {
  readonly Type: string
  readonly DeletionPolicy?: string
  readonly UpdateReplacePolicy?: string
  readonly Properties: Readonly<Record<string, unknown>>
}
/** Both stacks of a deployment: what runs, as osls packages it, and what is kept. */
export interface Template {
  readonly files: readonly string[]
  readonly resources: Readonly<Record<string, Packaged>>
}

/** The outcome of `serverless package`: the templates, or what it says. */
export interface Packaging {
  readonly said: string
  readonly template: Template | null
  readonly close: () => void
}

/** Packages with a made-up bundle for each role, in a folder of its own, without credentials and without a network. */
export function packageFor(parameters: Readonly<Record<string, string>> = {}, stage = 'test'): Packaging {
  const folder = mkdtempSync(join(tmpdir(), 'ampere-package-'))
  copyFileSync(join(ROOT, 'serverless.yml'), join(folder, 'serverless.yml'))
  symlinkSync(join(ROOT, 'infra'), join(folder, 'infra'))
  for (const { name } of identitiesOf('both')) {
    mkdirSync(join(folder, 'dist/aws', name), { recursive: true })
    writeFileSync(join(folder, 'dist/aws', name, 'index.mjs'), 'export const handler = async () => null\n')
  }
  const params = Object.entries(parameters).map(([name, value]) => `--param=${name}=${value}`)
  const run = spawnSync(
    process.execPath,
    [join(ROOT, 'node_modules/serverless/bin/serverless.js'), 'package', '--stage', stage, ...params],
    {
      cwd: folder,
      encoding: 'utf8',
      timeout: 110_000,
      env: { PATH: process.env['PATH'], HOME: folder, HTTPS_PROXY: NOWHERE, HTTP_PROXY: NOWHERE },
    },
  )
  const file = join(folder, '.serverless/cloudformation-template-update-stack.json')
  const close = () => rmSync(folder, { recursive: true, force: true })
  const said = `${run.stdout}${run.stderr}`
  if (run.status !== 0 || !existsSync(file)) return { said, template: null, close }
  const { Resources } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly Resources: Template['resources']
  }
  const stores = storesTemplateOf(stage, { ...defaults(), ...parameters })
  const storesFile = join(folder, 'stores.json')
  writeFileSync(storesFile, JSON.stringify(stores))
  const resources = { ...Resources, ...stores.Resources }
  return { said, template: { files: [file, storesFile], resources }, close }
}

/** The parameters of serverless.yml, so that both stacks are made with the same. */
function defaults(): Parameters {
  const lines = readFileSync(join(ROOT, 'serverless.yml'), 'utf8')
  const values = PARAMETERS.map((name) => {
    const value = new RegExp(`^    ${name}: (.*)$`, 'm').exec(lines)?.[1]
    if (value === undefined) throw new Error(`serverless.yml has no default for ${name}`)
    return [name, value === "''" ? '' : value] as const
  })
  return Object.fromEntries(values) as unknown as Parameters
}

/** What cfn-lint finds, one line each; from PyPI, into an environment of its own. @throws Error where it cannot be had */
export function lint(file: string): readonly string[] {
  const python = join(BUILT, 'bin/python')
  const requirements = readFileSync(REQUIREMENTS, 'utf8')
  if (!existsSync(STAMP) || readFileSync(STAMP, 'utf8') !== requirements) {
    rmSync(BUILT, { recursive: true, force: true })
    must('python3', ['-m', 'venv', BUILT])
    must(python, ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', '-r', REQUIREMENTS])
    writeFileSync(STAMP, requirements)
  }
  // W3005: a dependency that osls states although a reference implies it.
  const run = spawnSync(
    join(BUILT, 'bin/cfn-lint'),
    ['--ignore-checks', 'W3005', '--format', 'parseable', '-t', file],
    { encoding: 'utf8', timeout: 110_000 },
  )
  if (run.status === null || run.stderr !== '') throw new Error(`cfn-lint did not run: ${run.stderr}`)
  return run.stdout.split('\n').filter((line) => line !== '')
}

function must(command: string, args: readonly string[]): void {
  const run = spawnSync(command, args, { encoding: 'utf8', timeout: 110_000 })
  if (run.status !== 0) throw new Error(`cfn-lint is not there: ${command} ${args[1]}: ${run.stderr ?? ''}`)
}
