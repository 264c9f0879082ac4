// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown, type Plugin } from 'rolldown'
import { withoutWebSocket } from './node-http.ts'
import { identitiesOf } from '#infra/permissions/identities.ts'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Who runs the functions. */
export type Provider = 'aws' | 'azure'

/** The code of one role for one provider, and what is in it. */
export interface RoleBundle {
  readonly role: string
  /** Files by name; the one that the provider loads is `index.mjs`. */
  readonly code: Readonly<Record<string, string>>
  readonly bytes: number
  /** Names of the packages in it, sorted. */
  readonly packages: readonly string[]
  /** Our own files in it, from the root, sorted. */
  readonly files: readonly string[]
}

/** The roles that have an entry file for a provider, sorted. */
export function rolesFor(provider: Provider): readonly string[] {
  return readdirSync(join(ROOT, 'functions'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(entryOf(provider, entry.name)))
    .map(({ name }) => name)
    .toSorted()
}

function entryOf(provider: Provider, role: string): string {
  return join(ROOT, 'functions', role, `${provider}.ts`)
}

/** Modules that the platform itself provides. */
const PROVIDED: Readonly<Record<Provider, readonly string[]>> = {
  aws: [],
  azure: ['@azure/functions-core'],
}

/**
 * Bundles one role: minified ES modules for Node, with what is imported on demand in files of their own. The same sources give
 * the same bytes.
 * @throws RangeError when it would import a package that is not in it
 */
export async function bundleRole(provider: Provider, role: string): Promise<RoleBundle> {
  const bundler = await rolldown({
    input: { index: entryOf(provider, role) },
    cwd: ROOT,
    platform: 'node',
    tsconfig: false,
    logLevel: 'silent',
    external: [/^node:(?!http$)/, ...PROVIDED[provider]],
    plugins: [withoutWebSocket(), leavingOut(provider, role)],
    // Our modules only define things; what packages do when they are imported stays.
    treeshake: { moduleSideEffects: [{ test: /[\\/](?:core|adapters|functions)[\\/]/, sideEffects: false }] },
  })
  try {
    const { output } = await bundler.generate({
      format: 'esm',
      minify: true,
      comments: false,
      entryFileNames: '[name].mjs',
      chunkFileNames: '[name]-[hash].mjs',
    })
    const code: Record<string, string> = {}
    const paths = new Set<string>()
    for (const part of output) {
      if (part.type !== 'chunk') throw new RangeError(`the bundle of ${role} has a file that is no code`)
      code[part.fileName] = part.code
      for (const [id, { renderedLength }] of Object.entries(part.modules))
        if (renderedLength > 0 && !id.startsWith('\0')) paths.add(relative(ROOT, id).split(sep).join('/'))
    }
    checkImports(role, output, provider)
    return { role, code, bytes: bytesOf(code), ...contentsOf([...paths]) }
  } finally {
    await bundler.close()
  }
}

/** The client of objects is two fifths of a bundle on Azure, a sixth on AWS, and has no parts: a role that needs no objects does without it. */
const OBJECTS_CLIENTS: Readonly<Record<Provider, readonly string[]>> = {
  aws: ['@aws-sdk/client-s3', '@aws-sdk/s3-request-presigner'],
  azure: ['@azure/storage-blob'],
}
/** Where the SDK looks for credentials after the environment, in which Lambda has them: profiles, and sign-in of people. */
const OTHER_CREDENTIALS = ['sso', 'ini', 'process', 'web-identity'].map(
  (name) => `@aws-sdk/credential-provider-${name}`,
)
/** What the SDK loads in browsers alone, to tell which one it is in. */
const IN_BROWSERS = 'bowser'
const LEFT_OUT = '\0left-out'

/** Packages that a role would only load where something is wrong; then it says so. */
function leavingOut(provider: Provider, role: string): Plugin {
  const names = [
    ...(provider === 'aws' ? [...OTHER_CREDENTIALS, IN_BROWSERS] : []),
    ...(hasObjects(role) ? [] : OBJECTS_CLIENTS[provider]),
  ]
  return {
    name: 'leaving-out',
    resolveId: (source) => (names.includes(source) ? LEFT_OUT : null),
    load: (id) => (id === LEFT_OUT ? "throw new Error('this is not in the bundle: no role needs it')" : null),
  }
}

function hasObjects(role: string): boolean {
  const needs = identitiesOf('both').find(({ name }) => name === role)?.needs
  return !needs || Object.keys(needs.objects).length > 0 || needs.uploads !== undefined
}

function checkImports(
  role: string,
  output: readonly { readonly type: string; readonly imports?: readonly string[] }[],
  provider: Provider,
): void {
  const imports = new Set(output.flatMap((part) => part.imports ?? []))
  const missing = [...imports].filter(
    (name) =>
      !name.startsWith('node:') &&
      !name.endsWith('.mjs') &&
      !PROVIDED[provider].includes(name) &&
      !BUILTINS.has(name),
  )
  if (missing.length > 0) throw new RangeError(`the bundle of ${role} imports ${missing.join(', ')}`)
}

/** Packages written for older Node name its modules without `node:`. */
const BUILTINS: ReadonlySet<string> = new Set(builtinModules)

function bytesOf(code: Readonly<Record<string, string>>): number {
  return Object.values(code).reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}

function contentsOf(paths: readonly string[]): Pick<RoleBundle, 'packages' | 'files'> {
  const packages = new Set(paths.flatMap((path) => packageOf(path) ?? []))
  return { packages: [...packages].toSorted(), files: paths.filter((path) => !packageOf(path)).toSorted() }
}

function packageOf(path: string): string | undefined {
  return /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(path)?.[1]
}
