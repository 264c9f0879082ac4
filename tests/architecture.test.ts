// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const ALIASES = {
  '#core/': 'core/',
  '#adapters/': 'adapters/',
  '#functions/': 'functions/',
  '#cli/': 'cli/',
  '#desktop/': 'desktop/',
  '#infra/': 'infra/',
  '#tests/': 'tests/',
}

/** Which rooms a room may import beside itself, errors and bytes. docs/DESIGN.md explains each. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'core/errors.ts': [],
  'core/bytes': [],
  'core/crypto': ['core/ports'],
  'core/ports': [],
  'core/order': [],
  'core/log': ['core/crypto'],
  'core/block': ['core/crypto', 'core/log', 'core/ports'],
  'core/registry': ['core/block', 'core/log', 'core/crypto', 'core/ports'],
  'core/chain': ['core/block', 'core/log', 'core/crypto', 'core/registry', 'core/ports'],
  'core/seal': ['core/crypto', 'core/block', 'core/ports'],
  'core/record': ['core/seal', 'core/crypto', 'core/ports'],
  'core/consistency': ['core/record', 'core/ports', 'core/crypto'],
  'core/api': ['core/ports', 'core/crypto', 'core/log', 'core/block'],
  'core/evidence': ['core/ports', 'core/api', 'core/crypto', 'core/log', 'core/block', 'core/registry'],
  'core/server': [
    'core/order',
    'core/ports',
    'core/api',
    'core/crypto',
    'core/log',
    'core/block',
    'core/chain',
    'core/registry',
  ],
  'core/token': ['core/order', 'core/ports', 'core/crypto'],
  'core/client': [
    'core/order',
    'core/ports',
    'core/api',
    'core/crypto',
    'core/log',
    'core/block',
    'core/chain',
    'core/registry',
    'core/seal',
    'core/evidence',
  ],
  'core/bridge': [
    'core/order',
    'core/client',
    'core/record',
    'core/consistency',
    'core/api',
    'core/ports',
    'core/crypto',
    'core/token',
  ],
  'adapters/memory': ['core/ports', 'core/crypto'],
  'adapters/local': ['core/order', 'core/ports', 'core/crypto', 'adapters/model'],
  'adapters/around': ['core/ports', 'core/crypto'],
  'adapters/wrapped': ['core/order', 'core/ports', 'core/crypto'],
  'adapters/model': ['core/ports', 'core/order'],
  'adapters/aws': ['core/order', 'core/ports', 'core/crypto', 'adapters/wrapped', 'adapters/model'],
  'adapters/azure': ['core/order', 'core/ports', 'core/crypto', 'adapters/wrapped', 'adapters/model'],
  'desktop/verify': ['core/client', 'core/log', 'core/api'],
}
/** Packages that a room may import; a room that is not listed may import none. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'core/bytes': ['valibot'],
  'core/crypto': ['@noble/', 'hpke'],
  'core/block': ['valibot'],
  'core/registry': ['valibot'],
  'core/seal': ['valibot', 'fflate'],
  'core/api': ['valibot'],
  'core/client': ['valibot'],
  'core/evidence': ['valibot'],
  'core/server': ['valibot'],
  'core/record': ['valibot', '@medplum/', 'ajv', 'fflate'],
  'core/bridge': ['valibot'],
  'core/token': ['valibot'],
  'adapters/local': ['node:', '@napi-rs/keyring'],
  'adapters/around': ['@opentelemetry/api'],
  'adapters/model': ['valibot'],
  'adapters/aws': ['node:', '@aws-sdk/', '@smithy/', 'valibot'],
  'adapters/azure': ['node:', '@azure/'],
}
/** What an adapter is made of, whoever provides it; what else a provider needs lies in sub-rooms. */
const PORT_FILES = ['table', 'objects', 'signer', 'unwrapper', 'uploads', 'language-model', 'errors', 'open']

interface Import {
  readonly from: string
  readonly to: string
}

const files = sources(['core', 'adapters', 'functions', 'cli', 'desktop', 'infra'])
const imports = files.flatMap(importsOf)

describe('the architecture', () => {
  it('lets each room of core import only the rooms that its row allows', () => {
    const broken = imports.filter(({ from, to }) => {
      const room = roomOf(from)
      const target = roomOf(to)
      const allowed = MAY_IMPORT[room]
      if (allowed === undefined || !isOurs(to) || target === room) return false
      return !['core/errors.ts', 'core/bytes', ...allowed].includes(target)
    })
    expect(broken).toEqual([])
  })

  it('has a row for every room of core and desktop, and every adapter', () => {
    const rooms = new Set(files.filter((file) => /^(core|adapters|desktop)\//.test(file)).map(roomOf))
    expect([...rooms].filter((room) => !(room in MAY_IMPORT))).toEqual([])
  })

  it('lets core and adapters import packages only where a room lists them, and core never node:*', () => {
    const broken = imports.filter(({ from, to }) => {
      if (!/^(core|adapters)\//.test(from) || isOurs(to)) return false
      return !(PACKAGES[roomOf(from)] ?? []).some(
        (name) => to === name || to.startsWith(/[/:]$/.test(name) ? name : `${name}/`),
      )
    })
    expect(broken).toEqual([])
  })

  it('keeps the home unable to read: no role of it reaches seal, record or client', () => {
    const home = [
      'functions/discovery/app.ts',
      'functions/writer/app.ts',
      'functions/reader/app.ts',
      'functions/registrar/app.ts',
      'functions/auditor/app.ts',
      'functions/witness/app.ts',
      'functions/keeper/app.ts',
      'functions/lookup/app.ts',
      'functions/monitor/watching.ts',
    ]
    const reached = home.flatMap((file) => [...reachable(file)])
    expect(reached.filter((file) => /^core\/(seal|record|client)\//.test(file))).toEqual([])
  })

  it('keeps the page that verifies exports to itself and core: no package, no node:*, nothing of the home', () => {
    const reached = [...reachable('desktop/verify/main.ts')]
    expect(reached).toContain('core/client/export/verify-export.ts')
    expect(
      reached.filter((file) => !/^(core|desktop)\//.test(file) || file.startsWith('core/server/')),
    ).toEqual([])
    const ofPage = imports.filter(({ from }) => from.startsWith('desktop/') && reached.includes(from))
    expect(ofPage.filter(({ to }) => !isOurs(to))).toEqual([])
  })

  it('names the files of every provider of adapters alike', () => {
    const own = files.filter((file) => /^adapters\/(?!(?:around|wrapped|model)\/)[^/]+\/[^/]+$/.test(file))
    const odd = own.filter((file) => !PORT_FILES.includes(basename(file, '.ts')))
    const providers = new Set(own.map(dirname))
    const closed = [...providers].filter((provider) => !files.includes(`${provider}/open.ts`))
    expect({ odd, closed, known: providers.has('adapters/local') }).toEqual({
      odd: [],
      closed: [],
      known: true,
    })
  })

  it('has no import cycle', () => {
    expect(findCycle()).toBeNull()
  })

  it('keeps clocks, timers, randomness and consoles out of core', () => {
    const broken = files
      .filter((file) => file.startsWith('core/'))
      .filter((file) =>
        /\b(Date\.now|Math\.random|setTimeout|setInterval|process\.|console\.|Buffer\.)/.test(code(file)),
      )
    expect(broken).toEqual([])
  })

  it('has no file over 300 lines, and no folder of more than twelve files', () => {
    const long = files.filter((file) => readFileSync(join(ROOT, file), 'utf8').split('\n').length > 301)
    const folders = new Map<string, number>()
    for (const file of files) folders.set(dirname(file), (folders.get(dirname(file)) ?? 0) + 1)
    expect({ long, wide: [...folders].filter(([, count]) => count > 12) }).toEqual({ long: [], wide: [] })
  })
})

function sources(folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name))),
  )
}

/** Source without comments, so that words in them do not count. */
function code(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
}

function importsOf(file: string): Import[] {
  const specifiers = [...code(file).matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(
    (match) => match[1] ?? '',
  )
  return specifiers.map((specifier) => ({ from: file, to: resolve(file, specifier) }))
}

function resolve(file: string, specifier: string): string {
  if (specifier.startsWith('.')) return join(dirname(file), specifier)
  const alias = Object.entries(ALIASES).find(([name]) => specifier.startsWith(name))
  return alias ? specifier.replace(alias[0], alias[1]) : specifier
}

function roomOf(file: string): string {
  return file === 'core/errors.ts' ? file : file.split('/').slice(0, 2).join('/')
}

function isOurs(file: string): boolean {
  return /^(core|adapters|functions|cli|desktop|infra|tests)\//.test(file)
}

function reachable(start: string, seen = new Set<string>()): Set<string> {
  if (seen.has(start)) return seen
  seen.add(start)
  for (const { from, to } of imports) if (from === start && isOurs(to)) reachable(to, seen)
  return seen
}

function findCycle(): readonly string[] | null {
  const done = new Set<string>()
  const visit = (file: string, path: readonly string[]): readonly string[] | null => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
    if (done.has(file)) return null
    for (const { from, to } of imports) {
      const cycle = from === file && isOurs(to) ? visit(to, [...path, file]) : null
      if (cycle) return cycle
    }
    done.add(file)
    return null
  }
  for (const file of files) {
    const cycle = visit(file, [])
    if (cycle) return cycle
  }
  return null
}
