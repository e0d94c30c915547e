import { preact } from '@preact/preset-vite'
import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [preact({ devToolsEnabled: false })],
  resolve: { conditions: ['@holdfast/source', 'module', 'browser', 'import', 'default'] },
  build: {
    outDir: '../server/assets/dashboard',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0, // a strict content security policy takes no data: URLs
    modulePreload: { polyfill: false },
  },
  server: { host: '127.0.0.1', proxy: { '/api': 'http://127.0.0.1:8000', '/events': 'http://127.0.0.1:8000' } },
})
