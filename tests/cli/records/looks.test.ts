// SPDX-License-Identifier: Apache-2.0
import { leavesEveryByte, tellsDamage } from './looks.ts'
import { toldDemo } from './told-demo.ts'

const demo = toldDemo(12)
leavesEveryByte(demo)
tellsDamage(demo)
