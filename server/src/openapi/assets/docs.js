"use strict";

// The token stays in this page's memory: it is stored nowhere and sent to this server only.
const address = "/api/v1/openapi.json";
let token = "";

const ui = SwaggerUIBundle({
  url: address,
  dom_id: "#api",
  deepLinking: true,
  filter: true,
  docExpansion: "none",
  displayRequestDuration: true,
  validatorUrl: null,
  requestInterceptor: (request) => {
    const target = new URL(request.url, window.location.href);
    if (token && target.origin === window.location.origin) {
      request.headers.Authorization = `Bearer ${token}`;
    }
    return request;
  },
});

document.getElementById("caller").addEventListener("submit", (event) => {
  event.preventDefault();
  token = document.getElementById("token").value.trim();
  ui.specActions.download(address);
});
