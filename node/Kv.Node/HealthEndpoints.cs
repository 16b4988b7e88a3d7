namespace Kv.Node;

/// <summary>`/livez`, `/startupz` and `/readyz`: 200 or 503, with one line that says why.</summary>
public static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder endpoints, NodeHealth health)
    {
        endpoints.Map("/livez", context => WriteAsync(context, health.Live()));
        endpoints.Map("/startupz", context => WriteAsync(context, health.Started()));
        endpoints.Map("/readyz", context => WriteAsync(context, health.Ready()));
    }

    private static Task WriteAsync(HttpContext context, (bool Ok, string Text) answer)
    {
        context.Response.StatusCode = answer.Ok ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(answer.Text + "\n", context.RequestAborted);
    }
}
