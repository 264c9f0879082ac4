#!/usr/bin/env node
// The `ampere` command on whatever Node is there: set up once, then the real command on Node 24.
import * as nodeModule from 'node:module'
import { join } from 'node:path'
import { HELD_BY_FD, installOnce, isNewEnough, root, runNode } from './setup.mjs'

installOnce()
// What was compiled once is not compiled again: it is more than half of what starting takes.
const cache = process.env.NODE_COMPILE_CACHE ?? join(root, 'node_modules/.cache/ampere')
if (isNewEnough()) {
  nodeModule.enableCompileCache?.(cache)
  silenceExperimental()
  await import('./main.ts')
} else {
  runNode([join(root, 'cli/main.ts'), ...process.argv.slice(2)], {
    NODE_COMPILE_CACHE: cache,
    AMPERE_HELD_BY_FD: String(HELD_BY_FD),
  })
}

/** In this process, what --disable-warning=ExperimentalWarning does in another. */
function silenceExperimental() {
  const emit = process.emitWarning.bind(process)
  process.emitWarning = (warning, ...rest) => {
    const [given] = rest
    const type = typeof given === 'object' ? given?.type : given
    if (type !== 'ExperimentalWarning') emit(warning, ...rest)
  }
}
