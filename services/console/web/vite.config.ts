import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// File names carry no hash, so index.html never changes with the code and two
// branches that both rebuilt dist conflict in as few files as possible. The
// server answers with ETags, and the live socket's welcome.build tells an open
// page that it has grown old.
export default defineConfig({
  plugins: [react(), tailwindcss()],
  base: '/',
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    rolldownOptions: {
      output: {
        entryFileNames: 'assets/[name].js',
        chunkFileNames: 'assets/[name].js',
        assetFileNames: 'assets/[name][extname]',
      },
    },
  },
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(
      ['/weftline.', '/api', '/attachments', '/originals', '/exports', '/login', '/logout', '/setup', '/chat'].map((path) => [
        path,
        process.env.WEFTLINE_HUB ?? 'http://127.0.0.1:8080',
      ]).concat([['/ws', (process.env.WEFTLINE_HUB ?? 'http://127.0.0.1:8080').replace('http', 'ws')]]),
    ),
  },
  test: {
    environment: 'node',
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
  },
});
