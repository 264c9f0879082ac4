#!/usr/bin/env node
// The `ampere` command on whatever Node is there: set up once, then the real command on Node 24.
import { join } from 'node:path'
import { installOnce, root, runNode } from './setup.mjs'

installOnce()
runNode([join(root, 'cli/main.ts'), ...process.argv.slice(2)])
