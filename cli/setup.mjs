// Runs on whatever Node is there (20 or later): installs once, then runs the wanted tool on Node 24.
// Plain JavaScript without dependencies, because nothing is installed yet when it starts.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const NODE_MAJOR = 24
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning']
const TOOLS = {
  jest: ['--experimental-vm-modules', join(root, 'node_modules/jest/bin/jest.js')],
  bench: [join(root, 'tests/bench/run.ts')],
  'build:verify': [join(root, 'desktop/verify/build.ts')],
  'build:aws': [join(root, 'infra/bundle/build.ts'), 'aws'],
  'build:azure': [join(root, 'infra/bundle/build.ts'), 'azure'],
  docs: [join(root, 'tests/http/write-docs.ts')],
}

/** Installs the locked dependencies unless this very lock file is installed already. */
export function installOnce() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const stamp = join(root, 'node_modules', '.ampere-installed')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  process.stderr.write('Installing dependencies (once, about 30 s) ...\n')
  // Not `npm ci`: it refuses a lock file that lacks other platforms' optional binaries.
  const command = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const run = spawnSync(command, ['install', '--no-save', '--no-fund', '--no-audit', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  })
  if (run.status !== 0) {
    process.stderr.write('Installing failed. See the lines above; then run: npm install --no-save\n')
    process.exit(1)
  }
  writeFileSync(stamp, lock)
}

/** True when this very process can run everything, on a Node that is the computer's or that came with our dependencies. */
export function isNewEnough() {
  return Number(process.versions.node.split('.')[0]) >= NODE_MAJOR && !isAnothers(process.execPath, root)
}

/**
 * True for a program in the dependencies of something else: npm and npx put those of every folder above into PATH, and what is there
 * was locked by nobody here, and would have the keys.
 */
export function isAnothers(program, own) {
  const [path, ours] = [real(program), join(real(own), 'node_modules')]
  return path.split(sep).includes('node_modules') && !path.startsWith(ours + sep)
}

function real(path) {
  return existsSync(path) ? realpathSync(path) : path
}

/** Path of a Node 24 or later: the one running, or the one that came with the dependencies. */
export function findNode() {
  if (isNewEnough()) return process.execPath
  const name = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
  const candidates = [`node-${name}/bin/node`, `node-bin-${name}/bin/node`, `node-${name}/bin/node.exe`]
  const found = candidates.map((path) => join(root, 'node_modules', path)).find((path) => existsSync(path))
  if (found) return found
  process.stderr.write(
    isAnothers(process.execPath, root)
      ? `The Node that runs is that of another folder, ${process.execPath}, and ours for ${name} is not installed here: npm install --no-save --include=optional, or install Node ${NODE_MAJOR}.\n`
      : `Ampere needs Node ${NODE_MAJOR} or later; this is ${process.version}, and no packaged one fits ${name}.\n`,
  )
  process.exit(1)
}

/** The program's end of a pipe that the operating system closes when the process that ran it ends, killed or not. */
export const HELD_BY_FD = 3

/** Runs a program on Node 24 with this terminal and these additions to the environment, and ends as it ended. */
export function runNode(args, env = {}) {
  const child = spawn(findNode(), [...NODE_FLAGS, ...args], {
    cwd: process.cwd(),
    stdio: ['inherit', 'inherit', 'inherit', 'pipe'],
    env: { ...process.env, ...env },
  })
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => process.exit(signal ? 1 : (code ?? 1)))
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [tool, ...rest] = process.argv.slice(2)
  if (!TOOLS[tool]) {
    process.stderr.write(`usage: node cli/setup.mjs ${Object.keys(TOOLS).join('|')} [ARGS]\n`)
    process.exit(2)
  }
  installOnce()
  runNode([...TOOLS[tool], ...rest])
}
