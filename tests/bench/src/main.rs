//! The benchmark: directories of CNI plugins side by side, each plugin executed as a runtime does, interleaved, in
//! namespaces of their own. `make bench` says how it is called, `README.md` what it measures. Nothing of it is a
//! judgement: times mean something only beside the others of the same run.

mod call;
mod chain;
mod cold;
mod crowd;
mod crowded;
mod latency;
mod options;
mod parallel;
mod path;
mod peak;
mod place;
mod report;
mod samples;
mod scale;
mod scenario;
mod start;
mod svg;

use options::Options;
use report::Report;

fn main() {
    let options = Options::read(std::env::args().skip(1));
    place::isolate();
    let mut report = Report::new(&options.suites);
    for part in &options.parts {
        eprintln!("{part} …");
        match part.as_str() {
            "latency" => latency::measure(&options, &mut report),
            "parallel" => parallel::measure(&options, &mut report),
            "scale" => scale::measure(&options, &mut report),
            "crowded" => crowded::measure(&options, &mut report),
            "path" => path::measure(&options, &mut report),
            "start" => start::measure(&options, &mut report),
            "cold" => cold::measure(&options, &mut report),
            "memory" => peak::measure(&options, &mut report),
            other => panic!("there is no part {other}; there are {}", options::PARTS.join(", ")),
        }
    }
    report.print();
    report.write(&options.out);
}
