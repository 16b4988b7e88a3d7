using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Kv.Cluster;
using Kv.Core.MapReduce;
using Kv.Wire.Riak.Http;
using Kv.Wire.Riak.Pb;

namespace Kv.Wire.Riak;

/// <summary>
/// Why a MapReduce job is refused or ended early, as both front ends say it (riak_kv_wm_mapred, riak_kv_pb_mapred; reference 7.6). Beside what is said elsewhere of a request that failed.
/// </summary>
internal static class MapReduceErrors
{
    private const string Usage =
        "This resource accepts POSTs with bodies containing JSON of the form:\n{\n \"inputs\":[...list of inputs...],\n \"query\":[...list of map/reduce phases...]\n}\n";

    public static HttpFault NoJob { get; } = new(400, Usage);

    /// <summary>HTTP: the text says where the fault is.</summary>
    public static HttpFault HttpOf(MapReduceProblem problem) => new(400, problem.Kind switch
    {
        MapReduceProblemKind.NotJson => $"The POST body was not valid JSON.\nThe error from the parser was:\n{problem.Text}\n",
        MapReduceProblemKind.NotAnObject => "The POST body was not a JSON object.\n",
        MapReduceProblemKind.MissingField => "The post body was missing the \"inputs\" or \"query\" field.\n",
        MapReduceProblemKind.Inputs => $"An error occurred parsing the \"inputs\" field.\n{problem.Text}\n",
        MapReduceProblemKind.Query => $"An error occurred parsing the \"query\" field.\n{problem.Text}\n",
        _ => throw new UnreachableException(),
    });

    /// <summary>Protocol Buffers: an Erlang term.</summary>
    public static string PbOf(MapReduceProblem problem) => problem.Kind switch
    {
        MapReduceProblemKind.NotJson => $"{{invalid_json,{Quoted(problem.Text)}}}",
        MapReduceProblemKind.NotAnObject => "not_json",
        MapReduceProblemKind.MissingField => "missing_field",
        MapReduceProblemKind.Inputs => $"{{inputs,{Quoted(problem.Text)}}}",
        MapReduceProblemKind.Query => $"{{'query',{Quoted(problem.Text)}}}",
        _ => throw new UnreachableException(),
    };

    public static string UnknownContentType(string contentType) => $"{{unknown_content_type,<<{Quoted(TermText.Shown(contentType))}>>}}: jobs are taken as application/json";

    public static HttpFault HttpOf(MapReduceFailure failure) => failure switch
    {
        MapReduceFailure.Denied denied => HttpErrors.Denied(denied.Reason),
        MapReduceFailure.OfRequest { Error: KvError.Overload or KvError.NotReady } => new(503, JsonOf(failure), "application/json"),
        _ => new(500, JsonOf(failure), "application/json"),
    };

    public static string PbOf(MapReduceFailure failure) => failure switch
    {
        MapReduceFailure.OfRequest { Error: var error } => PbErrors.Of(error),
        MapReduceFailure.OfPhase => JsonOf(failure),
        MapReduceFailure.Denied denied => denied.Reason,
        MapReduceFailure.TooMuch much => TooMuch(much),
        MapReduceFailure.TooLong much => string.Create(CultureInfo.InvariantCulture, $"a result has more than {much.MostBytes} bytes, which no part of an answer has: keep less of it"),
        _ => throw new UnreachableException(),
    };

    /// <summary>The object that says it, as the last part of a stream too.</summary>
    public static string JsonOf(MapReduceFailure failure)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, PlainJson.Writer))
        {
            json.WriteStartObject();
            if (failure is MapReduceFailure.OfPhase phase)
            {
                json.WriteNumber("phase", phase.Phase);
                json.WriteString("error", phase.Reason);
                json.WriteString("input", phase.Input);
            }
            else
            {
                json.WriteString("error", PbOf(failure));
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    private static string TooMuch(MapReduceFailure.TooMuch much) => string.Create(
        CultureInfo.InvariantCulture, $"the job has more than {much.MostBytes} bytes at once: give it fewer inputs, keep less of it, or, over HTTP, ask for chunked=true");

    private static string Quoted(string text) => $"\"{text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
