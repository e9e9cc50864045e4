import { render } from 'preact';
import { Page } from './parts/page.tsx';
import { App } from './state/app.ts';
import { listenToKeys } from './state/keys.ts';
import './style.css';

const app = new App();
app.start();
listenToKeys(app);
const root = document.querySelector('#page');
if (root !== null) render(<Page app={app} />, root);
