using Kv.EndToEnd.Kubernetes;

namespace Kv.EndToEnd.Charts;

/// <summary>
/// The chart's notes for some values, without a cluster. `helm template` renders everything but them, and `helm install --dry-run` asks a cluster: so a copy of the chart has them as a ConfigMap.
/// </summary>
internal static class ChartNotes
{
    private const string AsConfigMap = """
        apiVersion: v1
        kind: ConfigMap
        metadata: { name: notes }
        data:
          notes: {{ tpl (.Files.Get "notes.tpl") . | quote }}
        """;

    /// <summary>Of a release `kv` in namespace `kv-system`.</summary>
    public static async Task<string> RenderAsync(params string[] arguments)
    {
        var copy = Directory.CreateTempSubdirectory("kv-chart-").FullName;
        try
        {
            foreach (var file in Directory.EnumerateFiles(Helm.Chart, "*", SearchOption.AllDirectories))
            {
                var relative = Path.GetRelativePath(Helm.Chart, file);
                var to = Path.Combine(copy, relative == Path.Combine("templates", "NOTES.txt") ? "notes.tpl" : relative);
                Directory.CreateDirectory(Path.GetDirectoryName(to)!);
                File.Copy(file, to);
            }

            await File.WriteAllTextAsync(Path.Combine(copy, "templates", "notes.yaml"), AsConfigMap);
            var chart = await RenderedChart.RenderAsync(copy, "1.36.0", arguments);
            return RenderedChart.Text(chart.OfKind("ConfigMap").Single(one => RenderedChart.Text(one, "metadata", "name") == "notes"), "data", "notes")!;
        }
        finally
        {
            Directory.Delete(copy, recursive: true);
        }
    }
}
