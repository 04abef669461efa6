package io.radixflow.schemas;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** The two calls of a Confluent schema registry over HTTP, with schemas in memory; says what it is told to say. */
public final class StubRegistry implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpServer server;
    private final Map<Integer, String> answers = new ConcurrentHashMap<>();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final AtomicInteger numFailures = new AtomicInteger();
    private volatile int failureStatus = 503;
    private volatile @Nullable String authorization;

    private StubRegistry(HttpServer server) {
        this.server = server;
    }

    public static StubRegistry start() throws IOException {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        StubRegistry stub = new StubRegistry(server);
        server.createContext("/", stub::handle);
        server.start();
        return stub;
    }

    public String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort();
    }

    public RegistryAccess access() {
        return new RegistryAccess(url(), null, null);
    }

    /** Keeps a schema under an id. */
    public StubRegistry put(int id, String schema) {
        return putAnswer(id, JSON.createObjectNode().put("schema", schema).toString());
    }

    /** Keeps what the registry says when asked for an id. */
    public StubRegistry putAnswer(int id, String answer) {
        answers.put(id, answer);
        return this;
    }

    /** The next so many requests are answered by a status and nothing else. */
    public void fail(int numRequests, int status) {
        failureStatus = status;
        numFailures.set(numRequests);
    }

    /** Refuses who doesn't send this header. */
    public void require(String basic) {
        authorization = basic;
    }

    /** Method, path and body of each request so far. */
    public List<String> requests() {
        return requests;
    }

    /** The text of a schema that was registered. */
    public String schema(int id) throws IOException {
        return JSON.readTree(answers.get(id)).path("schema").textValue();
    }

    private void handle(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
        String path = exchange.getRequestURI().getPath();
        requests.add(exchange.getRequestMethod() + " " + path + " " + body);
        String required = authorization;
        if (required != null && !required.equals(exchange.getRequestHeaders().getFirst("Authorization"))) {
            answer(exchange, 401, "{\"error_code\":401,\"message\":\"Unauthorized\"}");
        } else if (numFailures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            answer(exchange, failureStatus, failureStatus == 404 ? "<html>no such page</html>" : "");
        } else if (path.startsWith("/schemas/ids/")) {
            String found = answers.get(Integer.parseInt(path.substring("/schemas/ids/".length())));
            answer(
                    exchange,
                    found == null ? 404 : 200,
                    found == null ? "{\"error_code\":40403,\"message\":\"Schema not found\"}" : found);
        } else {
            int id = 100 + answers.size();
            put(id, JSON.readTree(body).path("schema").textValue());
            answer(exchange, 200, "{\"id\":" + id + "}");
        }
    }

    private static void answer(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(UTF_8);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
