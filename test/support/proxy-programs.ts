export interface ProxyProgram {
  readonly name: "nginx" | "haproxy" | "caddy";
  /** The language of its block in the documentation. */
  readonly language: string;
  /** What the documentation has, and what the test has in its place. `$FOLDER` is a path, the other variables are ports. */
  readonly places: Readonly<Record<string, string>>;
  /** Puts the documented text in a file that the program runs without touching the machine. */
  wrap(text: string, folder: string): string;
  command(executable: string, file: string): string[];
}

export const proxyPrograms: readonly ProxyProgram[] = [
  {
    name: "nginx",
    language: "nginx",
    places: {
      "listen 8443 ssl": "listen 127.0.0.1:$SENSORS ssl",
      "listen 443 ssl": "listen 127.0.0.1:$DASHBOARD ssl",
      "/etc/loom/": "$FOLDER/",
    },
    wrap: (text, folder) => {
      const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
      const temporary = paths.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n");
      const http = `access_log off;\n${temporary}\n${text}`;
      return `daemon off;\npid ${folder}/pid;\nworker_processes 1;\nevents {}\nhttp {\n${http}\n}\n`;
    },
    command: (executable, file) => [executable, "-e", "stderr", "-c", file],
  },
  {
    name: "haproxy",
    language: "haproxy",
    places: {
      "bind :8443 ssl": "bind 127.0.0.1:$SENSORS ssl",
      "bind :443 ssl": "bind 127.0.0.1:$DASHBOARD ssl",
      "/etc/haproxy/": "$FOLDER/",
      "check port 9080": "check port $MANAGEMENT",
    },
    wrap: (text) => text,
    command: (executable, file) => [executable, "-db", "-f", file],
  },
  {
    name: "caddy",
    language: "caddyfile",
    places: {
      "loom.example.com:8443 {": "loom.example.com:$SENSORS {",
      "loom.example.com {": "loom.example.com:$DASHBOARD {",
      "/etc/loom/": "$FOLDER/",
      "health_port 9080": "health_port $MANAGEMENT",
    },
    wrap: (text) => `{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}\n${text}`,
    command: (executable, file) => [executable, "run", "--adapter", "caddyfile", "--config", file],
  },
];
